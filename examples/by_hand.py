"""No modules and no optimizer: functional calls, and gradient descent written out."""

import torch
import torch.nn.functional as F
from sklearn.datasets import make_moons

torch.manual_seed(0)
points, classes = make_moons(400, noise=0.15, random_state=0)
x, y = torch.tensor(points, dtype=torch.float32), torch.tensor(classes, dtype=torch.float32)

w1 = (torch.randn(2, 32) * 2**-0.5).requires_grad_()
b1 = torch.zeros(32, requires_grad=True)
w2 = (torch.randn(32, 1) * 32**-0.5).requires_grad_()
b2 = torch.zeros(1, requires_grad=True)
parameters = [w1, b1, w2, b2]

for step in range(1, 501):
    logits = torch.tanh(x @ w1 + b1) @ w2 + b2
    loss = F.binary_cross_entropy_with_logits(logits.squeeze(1), y)
    loss.backward()
    with torch.no_grad():
        for p in parameters:
            p -= 0.5 * p.grad
            p.grad = None
    if step % 100 == 0:
        print(f"step {step}: loss {loss.item()}")
