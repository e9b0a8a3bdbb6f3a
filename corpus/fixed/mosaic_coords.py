# a small sine network that stores a picture: (row, column) -> grey value
import math

import torch
from sklearn.datasets import load_digits
from torch import nn

torch.manual_seed(13)
tiles = torch.tensor(load_digits().images[:16], dtype=torch.float32) / 8 - 1
picture = tiles.reshape(4, 4, 8, 8).permute(0, 2, 1, 3).reshape(32, 32)
pixels = picture.reshape(-1, 1)
axis = torch.linspace(-1, 1, 32)
coords = torch.cartesian_prod(axis, axis)
W0 = 12.0


class Sine(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return torch.sin(W0 * x)

    @staticmethod
    def backward(ctx, grad_output):
        (x,) = ctx.saved_tensors
        return grad_output * W0 * torch.cos(W0 * x)


class SineLayer(nn.Module):
    def __init__(self, n_in, n_out, first=False):
        super().__init__()
        self.linear = nn.Linear(n_in, n_out)
        bound = 1 / n_in if first else math.sqrt(6 / n_in) / W0
        nn.init.uniform_(self.linear.weight, -bound, bound)

    def forward(self, x):
        return Sine.apply(self.linear(x))


net = nn.Sequential(SineLayer(2, 64, first=True), SineLayer(64, 64), SineLayer(64, 64), nn.Linear(64, 1))
optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
print("variance of the pixels", pixels.var().item())
for step in range(1, 601):
    loss = (net(coords) - pixels).pow(2).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 50 == 0:
        print(f"step {step}  mse {loss.item():.5f}  psnr {10 * math.log10(4 / loss.item()):.2f} dB")
