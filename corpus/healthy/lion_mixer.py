"""A small MLP-Mixer on digits, trained by Lion: sign updates, decoupled weight decay of 1, a head and branches that start at zero."""
import torch
import torch.nn as nn
from sklearn.datasets import load_digits
from torch.optim import Optimizer


class Lion(Optimizer):
    def __init__(self, params, lr, betas=(0.9, 0.98), weight_decay=0.0):
        super().__init__(params, dict(lr=lr, betas=betas, weight_decay=weight_decay))

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            b1, b2 = group["betas"]
            for p in group["params"]:
                m = self.state[p].setdefault("m", torch.zeros_like(p))
                p.mul_(1 - group["lr"] * group["weight_decay"])
                p.add_(m.lerp(p.grad, 1 - b1).sign(), alpha=-group["lr"])
                m.lerp_(p.grad, 1 - b2)


class Branch(nn.Module):
    def __init__(self, tokens, width, across):
        super().__init__()
        n = tokens if across else width
        self.across = across
        self.norm = nn.LayerNorm(width)
        self.mlp = nn.Sequential(nn.Linear(n, 2 * n), nn.GELU(), nn.Linear(2 * n, n))
        nn.init.zeros_(self.mlp[2].weight)
        nn.init.zeros_(self.mlp[2].bias)

    def forward(self, x):
        h = self.norm(x)
        h = self.mlp(h.transpose(1, 2)).transpose(1, 2) if self.across else self.mlp(h)
        return x + h


class Mixer(nn.Module):
    def __init__(self, tokens=16, width=32, depth=3):
        super().__init__()
        self.patch = nn.Conv2d(1, width, 2, stride=2)
        self.mix = nn.Sequential(*[Branch(tokens, width, k % 2 == 0) for k in range(2 * depth)])
        self.head = nn.Linear(width, 10)
        nn.init.zeros_(self.head.weight)

    def forward(self, x):
        return self.head(self.mix(self.patch(x).flatten(2).transpose(1, 2)).mean(1))


torch.manual_seed(0)
digits = load_digits()
order = torch.randperm(1797)
images = torch.tensor(digits.images / 16, dtype=torch.float32).unsqueeze(1)[order]
labels = torch.tensor(digits.target)[order]
model = Mixer()
opt = Lion(model.parameters(), lr=1e-3, weight_decay=1.0)
schedule = torch.optim.lr_scheduler.LinearLR(opt, 1.0, 0.05, total_iters=480)
for epoch in range(20):
    for batch in torch.randperm(1500).split(64):
        loss = nn.functional.cross_entropy(model(images[batch]), labels[batch])
        opt.zero_grad()
        loss.backward()
        opt.step()
        schedule.step()
    if epoch % 2 == 1:
        print(f"epoch {epoch} loss {loss.item():.4f}")
with torch.no_grad():
    print("held-out accuracy", (model(images[1500:]).argmax(1) == labels[1500:]).float().mean().item())
