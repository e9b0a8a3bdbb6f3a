import torch
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn

torch.manual_seed(0)
X, y = load_breast_cancer(return_X_y=True)
Xa, Xb, ya, yb = train_test_split(X, y, test_size=0.25, stratify=y, random_state=0)
scaler = StandardScaler().fit(Xa)
Xa = torch.from_numpy(scaler.transform(Xa)).float()
Xb = torch.from_numpy(scaler.transform(Xb)).float()
ya, yb = torch.from_numpy(ya), torch.from_numpy(yb)


def lecun(m):
    if isinstance(m, nn.Linear):
        nn.init.kaiming_normal_(m.weight, nonlinearity="linear")
        nn.init.zeros_(m.bias)


stack = [nn.Linear(30, 64), nn.SELU()]
for _ in range(38):
    stack += [nn.Linear(64, 64), nn.SELU()]
stack += [nn.Linear(64, 2)]
net = nn.Sequential(*stack).apply(lecun)

opt = torch.optim.SGD(net.parameters(), lr=2e-3)
for step in range(500):
    i = torch.randint(len(Xa), (64,))
    loss = nn.functional.cross_entropy(net(Xa[i]), ya[i])
    opt.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(net.parameters(), 5.0)
    opt.step()
    if step % 100 == 0:
        print(step, loss.item())
with torch.no_grad():
    print("test accuracy", (net(Xb).argmax(1) == yb).float().mean().item())
