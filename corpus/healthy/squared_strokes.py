"""Residual network on the digits, trained with the rescaled square loss of Hui and Belkin."""
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.nn import functional as F

SCALE, TRUE_CLASS = 8.0, 3.0


class Unit(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.a, self.b = nn.Conv2d(c, c, 3, padding=1, bias=False), nn.Conv2d(c, c, 3, padding=1, bias=False)
        self.na, self.nb = nn.BatchNorm2d(c), nn.BatchNorm2d(c)
        nn.init.zeros_(self.nb.weight)

    def forward(self, x):
        return F.relu(x + self.nb(self.b(F.relu(self.na(self.a(x))))))


class StrokeNet(nn.Module):
    def __init__(self, c=20):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(1, c, 3, padding=1), nn.BatchNorm2d(c), nn.ReLU())
        self.units = nn.Sequential(Unit(c), nn.MaxPool2d(2), Unit(c))
        self.out = nn.Linear(c * 16, 10)

    def forward(self, x):
        return self.out(self.units(self.stem(x)).flatten(1))


def square_loss(scores, labels):
    hot = F.one_hot(labels, 10).float()
    weight = 1 + (TRUE_CLASS - 1) * hot
    return (weight * (scores - SCALE * hot) ** 2).mean()


torch.manual_seed(31)
data = load_digits()
x = torch.tensor(data.images / 16, dtype=torch.float32)[:, None]
y = torch.tensor(data.target)
order = torch.randperm(len(x))
train, test = order[:1350], order[1350:]
net = StrokeNet()
opt = torch.optim.SGD(net.parameters(), lr=0.02, momentum=0.9, weight_decay=1e-4)
sched = torch.optim.lr_scheduler.MultiStepLR(opt, [5, 7], gamma=0.1)
for epoch in range(8):
    net.train()
    for i in train[torch.randperm(len(train))].split(32):
        opt.zero_grad()
        loss = square_loss(net(x[i]), y[i])
        loss.backward()
        opt.step()
    sched.step()
    print(epoch, f"square loss {loss.item():.3f}")
net.eval()
with torch.no_grad():
    print("test accuracy", (net(x[test]).argmax(1) == y[test]).float().mean().item())
