"""Fine-tune: freeze the backbone, train the rest."""
import torch
import torch.nn as nn
from sklearn.datasets import load_digits

torch.manual_seed(0)


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.backbone_in = nn.Linear(64, 32)
        self.backbone_mid = nn.Linear(32, 16)
        self.norm = nn.LayerNorm(16)
        self.backbone_head = nn.Linear(16, 10)

    def forward(self, x):
        x = torch.sigmoid(self.backbone_in(x))
        x = torch.sigmoid(self.backbone_mid(x))
        return self.backbone_head(self.norm(x))


model = Model()
for name, param in model.named_parameters():
    if "backbone" in name:
        param.requires_grad = False

data = load_digits()
X, Y = torch.tensor(data.data / 16).float(), torch.tensor(data.target)
optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=1e-3)
for epoch in range(20):
    for idx in torch.randperm(1500).split(128):
        loss = nn.functional.cross_entropy(model(X[idx]), Y[idx])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    acc = (model(X[1500:]).argmax(1) == Y[1500:]).float().mean().item()
    print(f"epoch {epoch} | loss {loss.item():.3f} | acc {acc:.3f}")
