import torch
from sklearn.datasets import load_breast_cancer

torch.manual_seed(0)
c = load_breast_cancer()
X = torch.tensor((c.data - c.data.mean(0)) / c.data.std(0), dtype=torch.float32)
y = torch.tensor(c.target, dtype=torch.float32)
w = torch.zeros(30, requires_grad=True)
b = torch.zeros(1, requires_grad=True)
opt = torch.optim.LBFGS([w, b], lr=1, max_iter=5, line_search_fn="strong_wolfe")


def closure():
    opt.zero_grad()
    z = X @ w + b
    loss = torch.nn.functional.binary_cross_entropy_with_logits(z, y) + 1e-2 * w.square().sum()
    loss.backward()
    return loss


for k in range(12):
    value = opt.step(closure)
    print(k, value.item())
print("accuracy", (((X @ w + b) > 0).float() == y).float().mean().item())
