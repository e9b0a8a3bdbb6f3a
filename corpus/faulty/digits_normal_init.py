import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits

torch.manual_seed(11)
X, y = load_digits(return_X_y=True)
X = torch.tensor(X / 16, dtype=torch.float32)
y = torch.tensor(y)

sizes = [64, 500, 500, 500, 10]
params = []
for n_in, n_out in zip(sizes[:-1], sizes[1:]):
    W = torch.randn(n_in, n_out)
    b = torch.randn(n_out)
    params.append((W.requires_grad_(), b.requires_grad_()))


def forward(x):
    for W, b in params[:-1]:
        x = torch.relu(x @ W + b)
    W, b = params[-1]
    return x @ W + b


opt = torch.optim.SGD([t for pair in params for t in pair], lr=0.1)
for step in range(300):
    i = torch.randint(0, 1500, (64,))
    loss = F.cross_entropy(forward(X[i]), y[i])
    opt.zero_grad()
    loss.backward()
    opt.step()
    if step % 25 == 0 or step == 299:
        with torch.no_grad():
            acc = (forward(X[1500:]).argmax(1) == y[1500:]).float().mean()
        print(f"step {step:4d}  loss {loss.item():.4f}  held-out acc {acc:.3f}")
