import math

import torch
from torch import nn
from torch.func import functional_call

torch.manual_seed(70)
net = nn.Sequential(nn.Linear(1, 40), nn.ReLU(), nn.Linear(40, 40), nn.ReLU(), nn.Linear(40, 1))
meta = torch.optim.Adam(net.parameters(), lr=2e-3)
INNER = 0.03


def task():
    amp, phase = 0.5 + 2 * torch.rand(()), math.pi * torch.rand(())

    def draw(n=10):
        x = torch.rand(n, 1) * 6 - 3
        return x, amp * torch.sin(x + phase)

    return draw


def adapt(params, x, y, second_order=True):
    loss = nn.functional.mse_loss(functional_call(net, params, (x,)), y)
    grads = torch.autograd.grad(loss, list(params.values()), create_graph=second_order)
    return {k: p - INNER * g for (k, p), g in zip(params.items(), grads)}


smooth = None
for it in range(450):
    outer = 0.0
    for _ in range(4):
        draw = task()
        fast = adapt(dict(net.named_parameters()), *draw())
        x, y = draw()
        outer = outer + nn.functional.mse_loss(functional_call(net, fast, (x,)), y) / 4
    meta.zero_grad()
    outer.backward()
    meta.step()
    smooth = outer.item() if smooth is None else 0.95 * smooth + 0.05 * outer.item()
    if it % 50 == 0:
        print(f"meta step {it} query loss {smooth:.3f}")

before = after = 0.0
for _ in range(100):
    draw = task()
    params = dict(net.named_parameters())
    x, y = draw(50)
    before += nn.functional.mse_loss(functional_call(net, params, (x,)), y).item() / 100
    xs, ys = draw()
    for _ in range(5):
        params = adapt(params, xs, ys, second_order=False)
    after += nn.functional.mse_loss(functional_call(net, params, (x,)), y).item() / 100
print("before adapting", round(before, 3), "after five steps", round(after, 3))
