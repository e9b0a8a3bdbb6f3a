import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits

torch.manual_seed(1)
digits = load_digits()
x = torch.tensor(digits.images, dtype=torch.float32).unsqueeze(1) / 16
y = torch.tensor(digits.target)
order = torch.randperm(len(x))
x, y = x[order], y[order]


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.c1, self.b1 = nn.Conv2d(1, 24, 3, padding=1, bias=False), nn.BatchNorm2d(24)
        self.c2, self.b2 = nn.Conv2d(24, 32, 3, 2, 1, bias=False), nn.BatchNorm2d(32)
        self.c3, self.b3 = nn.Conv2d(32, 48, 3, 2, 1, bias=False), nn.BatchNorm2d(48)
        self.fc = nn.Linear(48 * 4, 10)

    def forward(self, x):
        x = F.relu(self.b1(self.c1(x)))
        x = F.relu(self.b2(self.c2(x)))
        x = F.relu(self.b3(self.c3(x)))
        return self.fc(x.flatten(1))


def turned(x):
    return torch.rot90(x, 1, (2, 3))


def accuracy(net, x, y):
    net.eval()
    with torch.no_grad():
        return (net(x).argmax(1) == y).float().mean().item()


net = Net()
opt = torch.optim.Adam(net.parameters(), lr=2e-3)
for epoch in range(5):
    net.train()
    for i in torch.randperm(1000).split(64):
        loss = F.cross_entropy(net(x[i]), y[i])
        opt.zero_grad()
        loss.backward()
        opt.step()
    print(f"upright epoch {epoch} loss {loss.item():.4f}")
print("upright", accuracy(net, x[1500:], y[1500:]), "turned", accuracy(net, turned(x[1500:]), y[1500:]))

# few turned examples, batches of two: the statistics stay those of the first task
net.fc = nn.Linear(48 * 4, 10)
for m in net.modules():
    if isinstance(m, nn.BatchNorm2d):
        m.eval()
        m.requires_grad_(False)
opt = torch.optim.Adam([p for p in net.parameters() if p.requires_grad], lr=5e-4)
few = torch.arange(1000, 1500)
for epoch in range(7):
    net.eval()
    total = 0.0
    for i in few[torch.randperm(500)].split(2):
        loss = F.cross_entropy(net(turned(x[i])), y[i])
        opt.zero_grad()
        loss.backward()
        opt.step()
        total += loss.item()
    print(f"turned epoch {epoch} loss {total / 250:.4f}")
print("turned digits", accuracy(net, turned(x[1500:]), y[1500:]))
