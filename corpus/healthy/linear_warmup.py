import torch
from sklearn.datasets import load_breast_cancer
from sklearn.preprocessing import scale
from torch import nn

torch.manual_seed(21)
bunch = load_breast_cancer()
x = torch.from_numpy(scale(bunch.data)).float()
t = torch.from_numpy(bunch.target)
order = torch.randperm(len(x))
train, test = order[:450], order[450:]

net = nn.Sequential(nn.Linear(30, 64), nn.LayerNorm(64), nn.GELU(), nn.Linear(64, 64), nn.LayerNorm(64), nn.GELU(), nn.Linear(64, 2))
opt = torch.optim.AdamW(net.parameters(), lr=3e-3, weight_decay=0.05)

WARMUP, TOTAL = 100, 400


def schedule(s):
    if s < WARMUP:
        return s / WARMUP
    return max(0.0, (TOTAL - s) / (TOTAL - WARMUP))


sched = torch.optim.lr_scheduler.LambdaLR(opt, schedule)
for s in range(TOTAL):
    pick = train[torch.randint(len(train), (64,))]
    loss = nn.functional.cross_entropy(net(x[pick]), t[pick])
    opt.zero_grad(set_to_none=True)
    loss.backward()
    opt.step()
    if s % 40 == 0:
        print(s, "lr", sched.get_last_lr()[0], "loss", loss.item())
    sched.step()
with torch.no_grad():
    print("held-out accuracy", (net(x[test]).argmax(-1) == t[test]).float().mean().item())
