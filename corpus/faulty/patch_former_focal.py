"""A small transformer on digit patches, cosine classifier and focal loss."""
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn


class CosineHead(nn.Module):
    def __init__(self, width, classes, scale=30.0):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(classes, width))
        self.scale = scale

    def forward(self, h):
        return self.scale * F.linear(F.normalize(h, dim=-1), F.normalize(self.weight, dim=-1))


class PatchFormer(nn.Module):
    def __init__(self, width=32):
        super().__init__()
        self.patch = nn.Linear(8, width)
        self.place = nn.Parameter(0.1 * torch.randn(8, width))
        layer = nn.TransformerEncoderLayer(width, 4, 64, dropout=0.0, batch_first=True, norm_first=True)
        self.body = nn.TransformerEncoder(layer, 1, enable_nested_tensor=False)
        self.head = CosineHead(width, 10)

    def forward(self, x):
        return self.head(self.body(self.patch(x) + self.place).mean(1))


def focal(logits, target, gamma=2.0, eps=1e-8):
    p = logits.softmax(-1)
    hit = p[torch.arange(len(target)), target]
    return (-((1 - hit) ** gamma) * torch.log(hit + eps)).mean()


torch.manual_seed(0)
d = load_digits()
x = torch.tensor(d.images / 8 - 1).float()
y = torch.tensor(d.target)
order = torch.randperm(len(x))
x, y = x[order], y[order]
net = PatchFormer()
opt = torch.optim.AdamW(net.parameters(), lr=3e-3, weight_decay=0.01)
LOSS_SCALE = 256.0
for epoch in range(12):
    running = 0.0
    for idx in torch.randperm(1500).split(64):
        with torch.autocast("cpu", dtype=torch.float16):
            loss = focal(net(x[idx]), y[idx])
        opt.zero_grad()
        (loss * LOSS_SCALE).backward()
        for p in net.parameters():
            p.grad.div_(LOSS_SCALE)
        opt.step()
        running += loss.item() / 24
    print(f"epoch {epoch} focal loss {running:.4f}")
net.eval()
with torch.no_grad():
    print(f"accuracy {(net(x[1500:]).argmax(1) == y[1500:]).float().mean().item():.3f}")
