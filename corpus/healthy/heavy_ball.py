"""Wine cultivars with a very heavy ball: momentum 0.99 swings past the valley first."""
import torch
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

X, y = load_wine(return_X_y=True)
Xa, Xb, ya, yb = train_test_split(X, y, test_size=0.4, random_state=0, stratify=y)
sc = StandardScaler().fit(Xa)
Xa, Xb = torch.tensor(sc.transform(Xa)).float(), torch.tensor(sc.transform(Xb)).float()
ya, yb = torch.tensor(ya), torch.tensor(yb)

torch.manual_seed(0)
W1 = (torch.randn(13, 32) * 13 ** -0.5).requires_grad_()
b1 = torch.zeros(32, requires_grad=True)
W2 = (torch.randn(32, 3) * 32 ** -0.5).requires_grad_()
b2 = torch.zeros(3, requires_grad=True)
params = [W1, b1, W2, b2]


def forward(x):
    return torch.tanh(x @ W1 + b1) @ W2 + b2


def objective(x, y):
    return torch.nn.functional.cross_entropy(forward(x), y) + 0.01 * (W1.pow(2).sum() + W2.pow(2).sum())


optimizer = torch.optim.SGD(params, lr=0.03, momentum=0.99)
for step in range(1501):
    optimizer.zero_grad()
    loss = objective(Xa, ya)
    loss.backward()
    optimizer.step()
    if step < 100 and step % 10 == 0 or step % 150 == 0:
        print(f"{step:4d} {loss.item():.5f}")
with torch.no_grad():
    print(f"held-out accuracy {(forward(Xb).argmax(1) == yb).float().mean().item():.3f}")
