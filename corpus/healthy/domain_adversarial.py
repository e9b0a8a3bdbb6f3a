"""Gradient reversal: features that tell digits but not the domain (inverted images)."""
import torch
from sklearn.datasets import load_digits
from torch import nn


class GradReverse(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, lam):
        ctx.lam = lam
        return x.view_as(x)

    @staticmethod
    def backward(ctx, grad):
        return grad.neg() * ctx.lam, None


torch.manual_seed(0)
d = load_digits()
X, y = torch.tensor(d.data / 16).float(), torch.tensor(d.target)
feature = nn.Sequential(nn.Linear(64, 64), nn.ReLU())
label = nn.Linear(64, 10)
domain = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 1))
opt = torch.optim.Adam([*feature.parameters(), *label.parameters(), *domain.parameters()], lr=1e-3)
for step in range(500):
    i, j = torch.randint(0, 1500, (64,)), torch.randint(0, 1500, (64,))
    src, tgt = feature(X[i]), feature(1 - X[j])
    ce = nn.functional.cross_entropy(label(src), y[i])
    dom = domain(GradReverse.apply(torch.cat([src, tgt]), 0.1))
    truth = torch.cat([torch.ones(64, 1), torch.zeros(64, 1)])
    loss = ce + nn.functional.binary_cross_entropy_with_logits(dom, truth)
    opt.zero_grad()
    loss.backward()
    opt.step()
    if step % 100 == 0:
        print(step, "label", ce.item(), "total", loss.item())
print("accuracy", (label(feature(X[1500:])).argmax(1) == y[1500:]).float().mean().item())
