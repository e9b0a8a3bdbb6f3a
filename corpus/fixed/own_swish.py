import torch
from sklearn.datasets import load_digits
from torch import nn


class SwishFn(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        s = torch.sigmoid(x)
        ctx.save_for_backward(x, s)
        return x * s

    @staticmethod
    def backward(ctx, grad_output):
        x, s = ctx.saved_tensors
        return grad_output * (s + x * s * (1 - s))


class Swish(nn.Module):
    def forward(self, x):
        return SwishFn.apply(x)


torch.manual_seed(17)
digits = load_digits()
X, y = torch.tensor(digits.data, dtype=torch.float32), torch.tensor(digits.target)
X = (X - X.mean()) / X.std()
model = nn.Sequential(
    nn.Linear(64, 64), Swish(), nn.Linear(64, 64), Swish(), nn.Linear(64, 64), Swish(), nn.Linear(64, 10)
)
optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
for step in range(400):
    b = torch.randint(1500, (64,))
    loss = nn.functional.cross_entropy(model(X[b]), y[b])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 40 == 0:
        print(f"{step} {loss.item():.4f}")
