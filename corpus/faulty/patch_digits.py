import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.optim.lr_scheduler import LambdaLR

torch.manual_seed(0)

digits = load_digits()
images = torch.tensor(digits.images, dtype=torch.float32) / 16
labels = torch.tensor(digits.target)
# 8x8 image -> 16 patches of 2x2
patches = images.unfold(1, 2, 2).unfold(2, 2, 2).reshape(-1, 16, 4)
train_x, train_y, test_x, test_y = patches[:1500], labels[:1500], patches[1500:], labels[1500:]


class TinyViT(nn.Module):
    def __init__(self, dim=32):
        super().__init__()
        self.proj = nn.Linear(4, dim)
        self.pos = nn.Parameter(torch.randn(1, 16, dim) * 0.5)
        self.block = nn.TransformerEncoderLayer(dim, 4, 64, dropout=0.0, batch_first=True, norm_first=True)
        self.norm = nn.LayerNorm(dim)
        self.head = nn.Linear(dim, 10)

    def forward(self, x):
        h = self.block(self.proj(x) + self.pos)
        return self.head(self.norm(h).mean(1))


WARMUP = 250
model = TinyViT()
optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=0.01)
scheduler = LambdaLR(optimizer, lambda step: min(1.0, (step + 1) / WARMUP))

for epoch in range(13):
    total = 0.0
    for idx in torch.randperm(1500).split(32):
        logits = model(train_x[idx])
        loss = nn.functional.cross_entropy(logits, train_y[idx])
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(idx)
    scheduler.step()
    with torch.no_grad():
        acc = (model(test_x).argmax(-1) == test_y).float().mean()
    print(f"[{epoch:02d}] lr={scheduler.get_last_lr()[0]:.2e} loss={total / 1500:.4f} acc={acc:.3f}")
