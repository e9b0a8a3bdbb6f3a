import numpy as np
import torch
from sklearn.datasets import load_diabetes
from sklearn.preprocessing import PolynomialFeatures, StandardScaler

torch.manual_seed(0)
x, y = load_diabetes(return_X_y=True)
rng = np.random.default_rng(1)
order = rng.permutation(len(x))
x = PolynomialFeatures(2, include_bias=False).fit_transform(StandardScaler().fit_transform(x[order]))
x = np.hstack([x, rng.normal(size=(len(x), 60))])  # markers that tell nothing
x = StandardScaler().fit_transform(x)
y = (y[order] - y.mean()) / y.std()
X, Y = torch.tensor(x, dtype=torch.float32), torch.tensor(y, dtype=torch.float32)
fit, held = slice(0, 300), slice(300, None)


def train(decay):
    torch.manual_seed(0)
    model = torch.nn.Linear(X.shape[1], 1)
    opt = torch.optim.SGD([
        {"params": [model.weight], "weight_decay": decay},
        {"params": [model.bias], "weight_decay": 0.0},
    ], lr=5e-3, momentum=0.9)
    for step in range(1000):
        i = torch.randint(0, 300, (50,))
        loss = (model(X[fit][i]).squeeze(1) - Y[fit][i]).square().mean()
        opt.zero_grad()
        loss.backward()
        opt.step()
        if step % 100 == 99:
            print(f"decay {decay} step {step + 1} loss {loss.item():.3f} weights {model.weight.norm().item():.3f}")
    with torch.no_grad():
        return (model(X[held]).squeeze(1) - Y[held]).square().mean().item()


error = train(decay=2.0)
print(f"held-out mse {error:.3f} (variance {Y[held].var().item():.3f})")
