import torch
from torch import nn
from sklearn.datasets import load_wine
from sklearn.preprocessing import StandardScaler

torch.manual_seed(3)
wine = load_wine()
X = torch.tensor(StandardScaler().fit_transform(wine.data), dtype=torch.float32)
y = torch.tensor(wine.target)

net = nn.Sequential(nn.Linear(13, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 3))
opt = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9)
l2 = 0.1


def penalty(model):
    total = 0.0
    for name, p in model.named_parameters():
        if name.endswith("weight"):
            total = total + p.pow(2).sum()
    return total


for epoch in range(60):
    for idx in torch.randperm(178).split(32):
        logits = net(X[idx])
        data_loss = nn.functional.cross_entropy(logits, y[idx])
        loss = data_loss + l2 * penalty(net)
        opt.zero_grad()
        loss.backward()
        opt.step()
    if epoch % 10 == 9:
        with torch.no_grad():
            out = net(X)
            ce = nn.functional.cross_entropy(out, y).item()
            acc = (out.argmax(1) == y).float().mean().item()
        print({"epoch": epoch + 1, "ce": round(ce, 4), "acc": round(acc, 4), "w": round(penalty(net).item(), 4)})
