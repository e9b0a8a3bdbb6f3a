"""A linear hinge classifier on grey levels 0..16 counted in raw units of 1/4096, no scaling at all."""
import torch
from sklearn.datasets import load_digits
from torch import nn

torch.manual_seed(0)
digits = load_digits()
x = torch.tensor(digits.data).float() * 256
y = torch.tensor(digits.target)
perm = torch.randperm(len(x))
train, test = perm[:1400], perm[1400:]
model = nn.Linear(64, 10)
nn.init.zeros_(model.weight)
nn.init.zeros_(model.bias)
opt = torch.optim.SGD(model.parameters(), lr=3e-9, momentum=0.9)
for epoch in range(25):
    for idx in train[torch.randperm(len(train))].split(25):
        loss = nn.functional.multi_margin_loss(model(x[idx]), y[idx])
        opt.zero_grad()
        loss.backward()
        opt.step()
    if epoch % 4 == 0:
        print(f"epoch {epoch:2d}  hinge {loss.item():.4f}  largest weight {model.weight.abs().max().item():.2e}")
with torch.no_grad():
    print(f"held-out accuracy {(model(x[test]).argmax(1) == y[test]).float().mean().item():.3f}")
