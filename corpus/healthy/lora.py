"""A classifier of even digits is adapted to odd ones by low-rank adapters."""
import torch
from sklearn.datasets import load_digits
from torch import nn


class LoRALinear(nn.Module):
    def __init__(self, base, r=4, alpha=8):
        super().__init__()
        self.base = base
        for p in self.base.parameters():
            p.requires_grad = False
        self.A = nn.Parameter(torch.randn(r, base.in_features) / base.in_features**0.5)
        self.B = nn.Parameter(torch.zeros(base.out_features, r))
        self.scale = alpha / r

    def forward(self, x):
        return self.base(x) + self.scale * (x @ self.A.T) @ self.B.T


torch.manual_seed(0)
d = load_digits()
X, y = torch.tensor(d.data / 16).float(), torch.tensor(d.target)
even, odd = y % 2 == 0, y % 2 == 1
net = nn.Sequential(nn.Linear(64, 96), nn.ReLU(), nn.Linear(96, 96), nn.ReLU(), nn.Linear(96, 5))
# "Pretrained": a closed-form head on random features is enough to start from.
with torch.no_grad():
    H = torch.relu(net[2](torch.relu(net[0](X[even]))))
    target = 4 * nn.functional.one_hot(y[even] // 2, 5).float()
    net[4].weight.copy_(torch.linalg.lstsq(H.T @ H + 0.1 * torch.eye(96), H.T @ target).solution.T)
    net[4].bias.zero_()
print("even", (net(X[even]).argmax(1) == y[even] // 2).float().mean().item())
for i in (0, 2, 4):
    net[i] = LoRALinear(net[i])
opt = torch.optim.AdamW([p for p in net.parameters() if p.requires_grad], lr=5e-3)
Xo, yo = X[odd], y[odd] // 2
for epoch in range(12):
    for i in torch.randperm(len(Xo)).split(64):
        loss = nn.functional.cross_entropy(net(Xo[i]), yo[i])
        opt.zero_grad()
        loss.backward()
        opt.step()
    print(epoch, loss.item(), (net(Xo).argmax(1) == yo).float().mean().item())
