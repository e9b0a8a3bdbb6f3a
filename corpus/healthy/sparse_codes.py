import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn

torch.manual_seed(14)
d = load_digits()
X = torch.tensor(d.data).float() / 16
y = torch.tensor(d.target)


class SparseMLP(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.norm1 = nn.Linear(64, 256, bias=False), nn.BatchNorm1d(256, momentum=0.3)
        self.second, self.norm2 = nn.Linear(256, 256, bias=False), nn.BatchNorm1d(256, momentum=0.3)
        self.out = nn.Linear(256, 10)
        nn.init.constant_(self.norm1.bias, -1.4)
        nn.init.constant_(self.norm2.bias, -1.4)

    def forward(self, x):
        a = F.relu(self.norm1(self.first(x)))
        b = F.relu(self.norm2(self.second(a)))
        return self.out(b), (a, b)


net = SparseMLP()
opt = torch.optim.Adagrad(net.parameters(), lr=0.01)
for epoch in range(14):
    net.train()
    for i in torch.randperm(1500).split(75):
        logits, acts = net(X[i])
        ce = F.cross_entropy(logits, y[i])
        activity = sum(a.mean() for a in acts)
        loss = ce + 0.05 * activity
        opt.zero_grad()
        loss.backward()
        opt.step()
    net.eval()
    with torch.no_grad():
        logits, acts = net(X[:1500])
        zeros = [(a == 0).float().mean().item() for a in acts]
        silent = [int((a > 0).any(0).logical_not().sum()) for a in acts]
        acc = (net(X[1500:])[0].argmax(1) == y[1500:]).float().mean().item()
    print(f"epoch {epoch} ce {ce.item():.4f} acc {acc:.3f} zeros {zeros[0]:.2f} {zeros[1]:.2f} silent {silent}")
