import math

import torch
import torch.nn as nn

torch.manual_seed(3)


def spirals(n):
    t = torch.rand(n) * 2.2 * math.pi + 0.6
    arm = torch.randint(0, 2, (n,))
    r = t / (2.2 * math.pi + 0.6)
    ang = t + arm * math.pi
    pts = torch.stack([r * ang.cos(), r * ang.sin()], 1)
    return 1.5 * (pts + 0.01 * torch.randn(n, 2)), arm.float()


class Deep(nn.Module):
    def __init__(self, depth=24, width=48):
        super().__init__()
        sizes = [2] + [width] * depth
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in zip(sizes, sizes[1:]))
        self.readout = nn.Linear(width, 1)
        for layer in self.layers:
            nn.init.orthogonal_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, x):
        for layer in self.layers:
            x = torch.tanh(layer(x))
        return self.readout(x).squeeze(-1)


X, y = spirals(1000)
net = Deep()
opt = torch.optim.SGD(net.parameters(), lr=0.02, momentum=0.9)
for step in range(700):
    i = torch.randint(0, 1000, (128,))
    loss = nn.functional.binary_cross_entropy_with_logits(net(X[i]), y[i])
    opt.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(net.parameters(), 1.0)
    opt.step()
    if step % 50 == 0:
        print(step, loss.item())
Xt, yt = spirals(1000)
with torch.no_grad():
    print("accuracy", ((net(Xt) > 0).float() == yt).float().mean().item())
