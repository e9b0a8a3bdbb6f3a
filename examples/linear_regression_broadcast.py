"""y = 3x + 2 with noise, but y becomes (100, 100): the noise is a row where x is a column."""

import torch

torch.manual_seed(0)
x = torch.randn(100, 1)
y = 3 * x + 2 + 0.5 * torch.randn(100)

model = torch.nn.Linear(1, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

for epoch in range(1, 1001):
    loss = ((y - model(x)) ** 2).mean() / 2
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if epoch % 100 == 0:
        print(f"epoch {epoch}: loss {loss.item()}")

print(f"w = {model.weight.item():.3f}, b = {model.bias.item():.3f}")
