"""Learn to read digits only from the sum of two of them."""
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn

torch.manual_seed(11)
g = torch.Generator().manual_seed(11)
d = load_digits()
img = torch.tensor(d.data / 16, dtype=torch.float32)
lab = torch.tensor(d.target - 4.5, dtype=torch.float32)  # around zero


class Adder(nn.Module):
    def __init__(self):
        super().__init__()
        self.reader = nn.Sequential(nn.Linear(64, 96), nn.ReLU(), nn.Linear(96, 10))
        self.value = nn.Embedding(10, 1)

    def read(self, x):
        symbol = self.reader(x).argmax(-1)
        return self.value(symbol).squeeze(-1)

    def forward(self, a, b):
        return self.read(a) + self.read(b)


model = Adder()
opt = torch.optim.Adam(model.parameters(), lr=0.01)
history = []
for step in range(800):
    i = torch.randint(0, 1500, (64,), generator=g)
    j = torch.randint(0, 1500, (64,), generator=g)
    pred = model(img[i], img[j])
    loss = F.mse_loss(pred, lab[i] + lab[j])
    opt.zero_grad()
    loss.backward()
    opt.step()
    history.append(loss.item())
    if (step + 1) % 100 == 0:
        print(step + 1, "mse", round(sum(history[-100:]) / 100, 3))

with torch.no_grad():
    i = torch.randint(1500, len(img), (500,), generator=g)
    j = torch.randint(1500, len(img), (500,), generator=g)
    err = (model(img[i], img[j]) - lab[i] - lab[j]).abs()
print("held out: mean absolute error", err.mean().item())
