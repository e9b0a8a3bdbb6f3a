import numpy as np
import torch
from sklearn.datasets import load_diabetes

np.random.seed(0)
torch.manual_seed(0)
X, y = load_diabetes(return_X_y=True, scaled=True)
X = torch.tensor(X * 20, dtype=torch.float64)
y = torch.tensor((y - y.mean()) / y.std(), dtype=torch.float64)[:, None]

net = torch.nn.Sequential(torch.nn.Linear(10, 12), torch.nn.Tanh(), torch.nn.Linear(12, 1)).double()
opt = torch.optim.LBFGS(net.parameters(), lr=1.0, max_iter=2, history_size=20, line_search_fn="strong_wolfe")
evaluations = 0


def closure():
    global evaluations
    evaluations += 1
    opt.zero_grad()
    mse = torch.mean((net(X[:342]) - y[:342]) ** 2)
    ridge = sum((p**2).sum() for p in net.parameters())
    loss = mse + 0.01 * ridge
    loss.backward()
    return loss


for k in range(100):
    loss = opt.step(closure)
    if k % 10 == 0:
        print(k, evaluations, loss.item())
with torch.no_grad():
    resid = y[342:] - net(X[342:])
    print("train mse", torch.mean((net(X[:342]) - y[:342]) ** 2).item())
    print("test R2", 1 - (resid**2).mean().item() / y[342:].var(unbiased=False).item())
