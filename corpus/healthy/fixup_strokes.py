import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits


class FixupBlock(nn.Module):
    def __init__(self, ch, n_blocks):
        super().__init__()
        self.b1, self.b2, self.b3, self.b4 = (nn.Parameter(torch.zeros(1)) for _ in range(4))
        self.scale = nn.Parameter(torch.ones(1))
        self.c1 = nn.Conv2d(ch, ch, 3, padding=1, bias=False)
        self.c2 = nn.Conv2d(ch, ch, 3, padding=1, bias=False)
        nn.init.kaiming_normal_(self.c1.weight)
        self.c1.weight.data.mul_(n_blocks ** -0.5)
        nn.init.zeros_(self.c2.weight)

    def forward(self, x):
        y = F.relu(self.c1(x + self.b1) + self.b2)
        return F.relu(x + self.c2(y + self.b3) * self.scale + self.b4)


class FixupNet(nn.Module):
    def __init__(self, ch=16, n=12):
        super().__init__()
        self.stem = nn.Conv2d(1, ch, 3, stride=2, padding=1)
        self.body = nn.Sequential(*[FixupBlock(ch, n) for _ in range(n)])
        self.head = nn.Linear(ch * 16, 10)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def forward(self, x):
        return self.head(self.body(F.relu(self.stem(x))).flatten(1))


torch.manual_seed(0)
d = load_digits()
x = torch.tensor(d.images / 8 - 1, dtype=torch.float32).unsqueeze(1)
y = torch.tensor(d.target)
xa, ya, xb, yb = x[:1400], y[:1400], x[1400:], y[1400:]
net = FixupNet()
small = [p for p in net.parameters() if p.numel() == 1]
large = [p for p in net.parameters() if p.numel() > 1]
opt = torch.optim.SGD([{"params": large}, {"params": small, "lr": 0.005}], lr=0.05, momentum=0.9)
for epoch in range(8):
    tot = 0.0
    for idx in torch.randperm(1400).split(50):
        loss = F.cross_entropy(net(xa[idx]), ya[idx])
        opt.zero_grad()
        loss.backward()
        opt.step()
        tot += loss.item() / 28
    print(f"epoch {epoch} loss {tot:.4f}")
with torch.no_grad():
    print("held-out accuracy", (net(xb).argmax(1) == yb).float().mean().item())
