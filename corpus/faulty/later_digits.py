import torch
import torch.nn as nn
from sklearn.datasets import load_digits

torch.manual_seed(5)
data = load_digits()
X = torch.tensor(data.data, dtype=torch.float32).div(16)
y = torch.tensor(data.target)
first, second = y < 5, y >= 5

net = nn.Sequential(
    nn.Linear(64, 256),
    nn.ReLU(),
    nn.Linear(256, 128),
    nn.ReLU(),
    nn.Linear(128, 5),
)


def fit(x, t, params, steps, lr, tag):
    opt = torch.optim.Adam(params, lr=lr)
    for step in range(steps):
        i = torch.randint(0, len(x), (64,))
        loss = nn.functional.cross_entropy(net(x[i]), t[i])
        opt.zero_grad()
        loss.backward()
        opt.step()
        if step % 50 == 49:
            acc = (net(x).argmax(1) == t).float().mean().item()
            print(f"{tag} step {step + 1} loss {loss.item():.4f} acc {acc:.3f}")


fit(X[first], y[first], net.parameters(), 100, 1e-3, "digits 0-4")

# keep what was learned, only the new output layer is trained for 5-9
net[4] = nn.Linear(128, 5)
for p in list(net.parameters())[:-1]:
    p.requires_grad = False
fit(X[second], y[second] - 5, [p for p in net.parameters() if p.requires_grad], 400, 1e-2, "digits 5-9")
