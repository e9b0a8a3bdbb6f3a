import torch
from sklearn.datasets import load_breast_cancer
from torch import nn

torch.manual_seed(0)
BATCH = 1
LR = 0.01

d = load_breast_cancer()
x = torch.tensor(d.data, dtype=torch.float32)
x = (x - x.mean(0)) / x.std(0)
y = torch.tensor(d.target, dtype=torch.float32)


class Norm(nn.Module):
    def __init__(self, n, eps=1e-5):
        super().__init__()
        self.g = nn.Parameter(torch.ones(n))
        self.b = nn.Parameter(torch.zeros(n))
        self.eps = eps

    def forward(self, h):
        mean = h.mean(0, keepdim=True)
        var = h.var(0, unbiased=False, keepdim=True)
        return self.g * (h - mean) / torch.sqrt(var + self.eps) + self.b


model = nn.Sequential(
    nn.Linear(30, 32), Norm(32), nn.ReLU(),
    nn.Linear(32, 16), Norm(16), nn.ReLU(),
    nn.Linear(16, 1),
)
opt = torch.optim.SGD(model.parameters(), lr=LR, momentum=0.5)
bce = nn.BCEWithLogitsLoss()

for epoch in range(4):
    seen, hits, total = 0, 0, 0.0
    for i in torch.randperm(len(x)).split(BATCH):
        logit = model(x[i]).squeeze(1)
        loss = bce(logit, y[i])
        opt.zero_grad()
        loss.backward()
        opt.step()
        seen += len(i)
        total += loss.item() * len(i)
        hits += ((logit > 0) == (y[i] > 0.5)).sum().item()
    print(f"pass {epoch}: log loss {total / seen:.4f}, correct {hits / seen:.3f}")
