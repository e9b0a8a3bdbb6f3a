import torch

torch.manual_seed(0)
N = 100
x = torch.randn(N, 1)
y = 3 * x + 2 + 0.5 * torch.randn(N, 1)

w = torch.zeros(1, requires_grad=True)
b = torch.zeros(1, requires_grad=True)
for epoch in range(1000):
    y_hat = w * x + b
    loss = ((y - y_hat) ** 2).sum() / (2 * N)
    loss.backward()
    with torch.no_grad():
        w -= 0.1 * w.grad
        b -= 0.1 * b.grad
        w.grad.zero_()
        b.grad.zero_()
    if epoch % 100 == 0:
        print(f"epoch {epoch} loss {loss.item()}")
