import torch
from torch import nn
from torch.amp import GradScaler, autocast

torch.manual_seed(0)


def discs(n, size=24):
    yy, xx = torch.meshgrid(torch.arange(size), torch.arange(size), indexing="ij")
    cy, cx = torch.randint(6, size - 6, (2, n, 1, 1))
    r = 3 + 3 * torch.rand(n, 1, 1)
    mask = ((yy - cy) ** 2 + (xx - cx) ** 2 < r ** 2).float().unsqueeze(1)
    return mask + 0.8 * torch.randn(n, 1, size, size), mask


class TinyUNet(nn.Module):
    def __init__(self, c=12):
        super().__init__()
        self.down = nn.Sequential(nn.Conv2d(1, c, 3, padding=1), nn.ReLU())
        self.mid = nn.Sequential(nn.MaxPool2d(2), nn.Conv2d(c, 2 * c, 3, padding=1), nn.ReLU(), nn.Conv2d(2 * c, c, 3, padding=1), nn.ReLU(), nn.Upsample(scale_factor=2))
        self.up = nn.Sequential(nn.Conv2d(2 * c, c, 3, padding=1), nn.ReLU(), nn.Conv2d(c, 1, 1))

    def forward(self, x):
        a = self.down(x)
        return self.up(torch.cat([a, self.mid(a)], 1))


def dice(logits, mask):
    p = (logits > 0).float()
    return (2 * (p * mask).sum() / (p.sum() + mask.sum())).item()


images, masks = discs(640)
val_images, val_masks = discs(128)
model = TinyUNet()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
criterion = nn.BCEWithLogitsLoss()
scaler = GradScaler("cpu", init_scale=1024.0)
for epoch in range(8):
    for idx in torch.randperm(len(images)).split(32):
        optimizer.zero_grad(set_to_none=True)
        with autocast("cpu", dtype=torch.bfloat16):
            loss = criterion(model(images[idx]), masks[idx])
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()
    print(f"epoch {epoch} loss {loss.item():.4f}")
with torch.no_grad():
    print("dice", round(dice(model(val_images), val_masks), 4))
