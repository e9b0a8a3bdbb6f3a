import torch
from sklearn.datasets import load_digits
from torch import nn

torch.manual_seed(12)
d = load_digits()
pics = torch.tensor(d.images, dtype=torch.float32) / 16
target = torch.tensor(d.target)


def sample(n, lo, hi):
    a, b = torch.randint(lo, hi, (2, n))
    x = torch.cat([pics[a], pics[b]], dim=2).unsqueeze(1)
    t = torch.zeros(n, 10)
    rows = torch.arange(n)
    t[rows, target[a]] = 1
    t[rows, target[b]] = 1
    return x, t


class WhichDigits(nn.Module):
    """One yes/no answer per digit: is it in the picture?"""

    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 24, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(24, 48, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Flatten(),
        )
        self.fc = nn.Linear(48 * 2 * 4, 128)
        self.out = nn.Linear(128, 10)

    def forward(self, x):
        x = torch.relu(self.fc(self.features(x)))
        x = self.out(x)
        return x


model = WhichDigits()
criterion = nn.BCEWithLogitsLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)

for step in range(1, 501):
    x, t = sample(48, 0, 1500)
    loss = criterion(model(x), t)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 50 == 0:
        with torch.no_grad():
            x, t = sample(300, 1500, len(pics))
            guess = (torch.sigmoid(model(x)) > 0.5).float()
            exact = (guess == t).all(1).float().mean().item()
            print({"step": step, "loss": round(loss.item(), 4), "exact": round(exact, 3),
                   "bits": round((guess == t).float().mean().item(), 3)})
