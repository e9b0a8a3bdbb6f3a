import torch
from sklearn.datasets import load_digits
from torch import nn

torch.manual_seed(0)
d = load_digits()
X, y = torch.tensor(d.data / 16).float(), torch.tensor(d.target)
model = nn.Sequential(nn.Linear(64, 100), nn.GELU(), nn.Linear(100, 10))
opt = torch.optim.SGD(model.parameters(), lr=0.3, momentum=0.9)
accum_steps = 8
step = 0
for epoch in range(16):
    for n, i in enumerate(torch.randperm(1536).split(16)):
        loss = nn.functional.cross_entropy(model(X[i]), y[i]) / accum_steps
        loss.backward()
        if (n + 1) % accum_steps == 0:
            norm = nn.utils.clip_grad_norm_(model.parameters(), 0.5)
            opt.step()
            opt.zero_grad()
            step += 1
    print(epoch, step, loss.item() * accum_steps, norm.item())
