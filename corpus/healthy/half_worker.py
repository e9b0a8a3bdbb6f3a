import copy

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.nn import functional as F

torch.manual_seed(19)
data = load_digits()
x = torch.tensor(data.data / 16, dtype=torch.float32)
y = torch.tensor(data.target)
order = torch.randperm(len(x))
train, test = order[:1400], order[1400:]

master = nn.Sequential(nn.Linear(64, 96), nn.ReLU(), nn.Linear(96, 96), nn.ReLU(), nn.Linear(96, 10))
worker = copy.deepcopy(master).half()
opt = torch.optim.SGD(master.parameters(), lr=0.1, momentum=0.9)
scale, good, skipped = 2.0 ** 24, 0, 0

for step in range(700):
    i = train[torch.randint(len(train), (64,))]
    loss = F.cross_entropy(worker(x[i].half()).float(), y[i])
    worker.zero_grad()
    (loss * scale).backward()
    grads = [p.grad for p in worker.parameters()]
    if not all(g.isfinite().all() for g in grads):
        scale, good, skipped = scale / 2, 0, skipped + 1
        continue
    good += 1
    for p, g in zip(master.parameters(), grads):
        p.grad = g.float() / scale
    opt.step()
    with torch.no_grad():
        for w, p in zip(worker.parameters(), master.parameters()):
            w.copy_(p)
    if good % 60 == 0:
        scale *= 2
    if step % 100 == 99:
        print(f"step {step + 1} loss {loss.item():.4f} scale 2^{torch.tensor(scale).log2().int().item()} skipped {skipped}")

with torch.no_grad():
    accuracy = (worker(x[test].half()).argmax(1) == y[test]).float().mean().item()
print(f"test accuracy {accuracy:.3f}, skipped {skipped}")
