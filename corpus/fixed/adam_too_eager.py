import torch
from torch import nn
from sklearn.datasets import load_digits

torch.manual_seed(4)
X, y = load_digits(return_X_y=True)
X, y = torch.as_tensor(X / 16, dtype=torch.float32), torch.as_tensor(y)

clf = nn.Sequential(
    nn.Linear(64, 100), nn.ReLU(),
    nn.Linear(100, 100), nn.ReLU(),
    nn.Linear(100, 100), nn.ReLU(),
    nn.Linear(100, 10),
)
opt = torch.optim.Adam(clf.parameters(), lr=0.001)
for step in range(1, 401):
    b = torch.randint(len(X), (64,))
    loss = nn.functional.cross_entropy(clf(X[b]), y[b])
    opt.zero_grad()
    loss.backward()
    opt.step()
    if step % 50 == 0 or step in (1, 2, 5, 10):
        with torch.no_grad():
            print(step, f"{loss.item():.3f}", "acc", f"{(clf(X).argmax(1) == y).float().mean():.3f}")
