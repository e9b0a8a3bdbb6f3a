import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits

torch.manual_seed(2)
LOSS_SCALE = 2.0 ** 10


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.c1 = nn.Conv2d(1, 16, 3, padding=1)
        self.c2 = nn.Conv2d(16, 32, 3, padding=1)
        self.f1 = nn.Linear(32 * 4, 64)
        self.f2 = nn.Linear(64, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.c1(x)), 2)
        x = F.max_pool2d(F.relu(self.c2(x)), 2)
        return self.f2(F.relu(self.f1(x.flatten(1))))


digits = load_digits()
x = torch.tensor(digits.images / 16.0, dtype=torch.float32)[:, None]
y = torch.tensor(digits.target)
order = torch.randperm(len(x))
tr, te = order[:1400], order[1400:]

net = Net()
opt = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9)
applied = 0
for step in range(400):
    i = tr[torch.randint(len(tr), (32,))]
    with torch.autocast("cpu", dtype=torch.float16):
        loss = F.cross_entropy(net(x[i]), y[i])
    opt.zero_grad()
    (loss * LOSS_SCALE).backward()
    if all(torch.isfinite(p.grad).all() for p in net.parameters()):
        for p in net.parameters():
            p.grad.div_(LOSS_SCALE)
        opt.step()
        applied += 1
    if step % 50 == 0:
        print(f"step {step} loss {loss.item():.4f} updates {applied}")

with torch.no_grad():
    acc = (net(x[te]).argmax(1) == y[te]).float().mean()
print(f"updates {applied}, test accuracy {acc:.3f}")
