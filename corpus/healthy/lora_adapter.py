import math

import torch
from sklearn.datasets import load_digits
from torch import nn


class LoRALinear(nn.Module):
    def __init__(self, base: nn.Linear, rank: int = 6, alpha: float = 12.0):
        super().__init__()
        self.base = base
        for p in self.base.parameters():
            p.requires_grad = False
        self.lora_A = nn.Parameter(torch.empty(rank, base.in_features))
        self.lora_B = nn.Parameter(torch.zeros(base.out_features, rank))
        nn.init.kaiming_uniform_(self.lora_A, a=math.sqrt(5))
        self.scaling = alpha / rank

    def forward(self, x):
        return self.base(x) + (x @ self.lora_A.T @ self.lora_B.T) * self.scaling


def fit(net, params, X, y, epochs, lr):
    opt = torch.optim.AdamW(params, lr=lr, weight_decay=0.01)
    crit = nn.CrossEntropyLoss()
    for e in range(epochs):
        total = 0.0
        for i in torch.randperm(len(X)).split(50):
            opt.zero_grad()
            loss = crit(net(X[i]), y[i])
            loss.backward()
            opt.step()
            total += loss.item() * len(i)
        print(f"  epoch {e} loss {total / len(X):.4f}")


def accuracy(net, X, y):
    with torch.no_grad():
        return (net(X).argmax(1) == y).float().mean().item()


torch.manual_seed(11)
digits = load_digits()
images = torch.tensor(digits.images / 16).float()
target = torch.tensor(digits.target)
upright = images.flatten(1)
turned = images.transpose(1, 2).flatten(1)

net = nn.Sequential(nn.Linear(64, 96), nn.GELU(), nn.Linear(96, 96), nn.GELU(), nn.Linear(96, 10))
print("pretraining")
fit(net, net.parameters(), upright[:1400], target[:1400], 6, 2e-3)
print("transposed, before:", accuracy(net, turned[1400:], target[1400:]))

for k in (0, 2, 4):
    net[k] = LoRALinear(net[k])
adapters = [p for p in net.parameters() if p.requires_grad]
print("trainable", sum(p.numel() for p in adapters), "of", sum(p.numel() for p in net.parameters()))
fit(net, adapters, turned[:1400], target[:1400], 10, 4e-3)
print("transposed, after:", accuracy(net, turned[1400:], target[1400:]))
