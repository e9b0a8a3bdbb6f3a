import torch as th
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits

th.manual_seed(5)
dig = load_digits()
X = th.tensor(dig.data, dtype=th.float32) / 16
y = th.tensor(dig.target)


class MLP(nn.Module):
    def __init__(self):
        super().__init__()
        dims = [64] + [128] * 18
        self.ws = nn.ParameterList([nn.Parameter(th.randn(i, o) * (2 / i) ** 0.5) for i, o in zip(dims, dims[1:])])
        self.bs = nn.ParameterList([nn.Parameter(th.zeros(o)) for o in dims[1:]])
        self.last = nn.Linear(128, 10)

    def forward(self, h):
        for w, b in zip(self.ws, self.bs):
            h = F.relu(h @ w + b)
        return self.last(h)


m = MLP()
o = th.optim.SGD(m.parameters(), 0.01)
for i in range(400):
    k = th.randint(1500, (128,))
    l = F.cross_entropy(m(X[k]), y[k])
    o.zero_grad()
    l.backward()
    o.step()
    if i % 25 == 0 or i < 5:
        print(i, l.item())
