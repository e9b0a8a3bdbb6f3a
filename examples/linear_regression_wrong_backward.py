"""y = 3x + 2 with noise, with gradients written by hand, and one of them wrong: (x - y_hat) where x belongs."""

import torch


class SquaredError(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, w, b, y):
        y_hat = w * x + b
        ctx.save_for_backward(x, y, y_hat)
        return ((y - y_hat) ** 2).mean() / 2

    @staticmethod
    def backward(ctx, grad):
        x, y, y_hat = ctx.saved_tensors
        grad_w = -((y - y_hat) * (x - y_hat)).mean()
        grad_b = -(y - y_hat).mean()
        return None, (grad * grad_w).reshape(1), (grad * grad_b).reshape(1), None


torch.manual_seed(0)
x = torch.randn(100, 1)
y = 3 * x + 2 + 0.5 * torch.randn(100, 1)

w = torch.nn.Parameter(torch.randn(1))
b = torch.nn.Parameter(torch.zeros(1))
optimizer = torch.optim.SGD([w, b], lr=0.1)

for epoch in range(1, 1001):
    loss = SquaredError.apply(x, w, b, y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if epoch % 100 == 0:
        print(f"epoch {epoch}: loss {loss.item()}")

print(f"w = {w.item():.3f}, b = {b.item():.3f}")
