"""Fine-tuning after ULMFiT: a net that knows 0-4 learns 5-9, thawed group by group, with ever smaller rates downwards."""
import torch
import torch.nn as nn
from sklearn.datasets import load_digits

torch.manual_seed(0)
bunch = load_digits()
images = torch.tensor(bunch.images / 16, dtype=torch.float32).unsqueeze(1)
target = torch.tensor(bunch.target)
old, new = target < 5, target >= 5


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(1, 24, 3, padding=1), nn.ReLU())
        self.body = nn.Sequential(nn.Conv2d(24, 48, 3, stride=2, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(768, 96), nn.ReLU())
        self.head = nn.Linear(96, 5)

    def forward(self, x):
        return self.head(self.body(self.stem(x)))


def epoch_of(model, opt, x, y):
    total = 0.0
    for b in torch.randperm(len(x)).split(32):
        loss = nn.functional.cross_entropy(model(x[b]), y[b])
        opt.zero_grad()
        loss.backward()
        opt.step()
        total += loss.item() * len(b)
    return total / len(x)


model = Net()
pre = torch.optim.Adam(model.parameters(), lr=1e-3)
for e in range(4):
    print(f"old digits, epoch {e}: {epoch_of(model, pre, images[old], target[old]):.4f}")

model.head = nn.Linear(96, 5)
model.requires_grad_(False)
model.head.requires_grad_(True)
opt = torch.optim.Adam(model.head.parameters(), lr=3e-3)
x, y = images[new], target[new] - 5
for e in range(14):
    if e == 4:
        opt.add_param_group({"params": model.body.requires_grad_(True).parameters(), "lr": 3e-4})
    if e == 8:
        opt.add_param_group({"params": model.stem.requires_grad_(True).parameters(), "lr": 1e-6})
    print(f"new digits, epoch {e}: {epoch_of(model, opt, x[:700], y[:700]):.4f}")
with torch.no_grad():
    print("accuracy on held-out new digits", (model(x[700:]).argmax(1) == y[700:]).float().mean().item())
