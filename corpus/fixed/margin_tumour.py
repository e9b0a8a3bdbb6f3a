import numpy as np
import torch
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import scale

torch.manual_seed(0)
X, y = load_breast_cancer(return_X_y=True)
X = scale(X)
Xa, Xb, ya, yb = train_test_split(X, y, test_size=0.3, random_state=0, stratify=y)
Xa, Xb = torch.from_numpy(Xa).float(), torch.from_numpy(Xb).float()
ya, yb = torch.from_numpy(ya).float(), torch.from_numpy(yb).float()

scorer = torch.nn.Sequential(
    torch.nn.Linear(30, 16),
    torch.nn.ReLU(),
    torch.nn.Linear(16, 1),
)
opt = torch.optim.SGD(scorer.parameters(), lr=0.05, momentum=0.9)
batch = 40
hist = []
for epoch in range(30):
    order = np.random.RandomState(epoch).permutation(len(Xa))
    for k in range(0, len(order), batch):
        b = order[k:k + batch]
        score = scorer(Xa[b]).squeeze(1)
        loss = torch.clamp(1 - (2 * ya[b] - 1) * score, min=0).mean()
        opt.zero_grad()
        loss.backward()
        opt.step()
        hist.append(loss.item())
    if epoch % 3 == 2:
        print(f"epoch {epoch + 1:2d} hinge {np.mean(hist[-10:]):.4f}")

with torch.no_grad():
    said = scorer(Xb).squeeze(1) > 0
print("test accuracy", (said.float() == yb).float().mean().item(), "called benign", said.float().mean().item())
