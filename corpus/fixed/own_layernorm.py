"""Sequence model with a fused layer norm written by hand."""
import torch
import torch.nn.functional as F
from torch import nn


class FusedNorm(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, gain, shift, eps):
        mean = x.mean(-1, keepdim=True)
        inv = torch.rsqrt(x.var(-1, keepdim=True, unbiased=False) + eps)
        norm = (x - mean) * inv
        ctx.save_for_backward(norm, inv, gain)
        return norm * gain + shift

    @staticmethod
    def backward(ctx, g):
        norm, inv, gain = ctx.saved_tensors
        n = norm.shape[-1]
        gx = g * gain
        dx = inv * (gx - gx.mean(-1, keepdim=True) - norm * (gx * norm).mean(-1, keepdim=True))
        dims = tuple(range(g.dim() - 1))
        return dx, (g * norm).sum(dims), g.sum(dims), None


fused_norm = FusedNorm.apply


class Norm(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.gain = nn.Parameter(torch.ones(n))
        self.shift = nn.Parameter(torch.zeros(n))

    def forward(self, x):
        return fused_norm(x, self.gain, self.shift, 1e-5)


torch.manual_seed(0)
model = nn.Sequential(
    nn.Embedding(12, 32), nn.Flatten(), nn.Linear(32 * 6, 64), Norm(64), nn.ReLU(), nn.Linear(64, 64), Norm(64), nn.ReLU(),
    nn.Linear(64, 12),
)
opt = torch.optim.SGD(model.parameters(), lr=0.3)
for step in range(600):
    seq = torch.randint(0, 12, (64, 6))
    target = (seq[:, 0] + seq[:, 1]) % 12
    loss = F.cross_entropy(model(seq), target)
    opt.zero_grad()
    loss.backward()
    opt.step()
    if step % 100 == 99:
        print(step + 1, round(loss.item(), 4))
