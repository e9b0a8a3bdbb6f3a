import torch
import torch.nn as nn
from sklearn.datasets import load_digits

torch.manual_seed(5)
bunch = load_digits()
glyphs = torch.tensor(bunch.images, dtype=torch.float32) / 16
names = torch.tensor(bunch.target)


def strips(n, lo, hi):
    i = torch.randint(lo, hi, (n, 3))
    x = glyphs[i].permute(0, 2, 1, 3).reshape(n, 8, 24)
    present = torch.zeros(n, 10, dtype=torch.long)
    present.scatter_(1, names[i], 1)
    return x, present


class StripReader(nn.Module):
    def __init__(self, width=48, heads=4):
        super().__init__()
        self.column = nn.Conv1d(8, width, 3, padding=1)
        self.place = nn.Parameter(torch.randn(24, width) * 0.1)
        layer = nn.TransformerEncoderLayer(width, heads, 96, dropout=0.0, batch_first=True, norm_first=True)
        self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.tags = nn.Linear(width, 10)

    def forward(self, x):
        h = self.column(x).transpose(1, 2) + self.place
        return self.tags(self.encoder(h)).amax(1)


reader = StripReader()
loss_fn = nn.MultiLabelSoftMarginLoss()
opt = torch.optim.AdamW(reader.parameters(), lr=2e-3, weight_decay=0.01)
sched = torch.optim.lr_scheduler.OneCycleLR(opt, 2e-3, total_steps=360)
for it in range(360):
    x, present = strips(40, 0, 1400)
    loss = loss_fn(reader(x), present)
    opt.zero_grad(set_to_none=True)
    loss.backward()
    nn.utils.clip_grad_norm_(reader.parameters(), 1.0)
    opt.step()
    sched.step()
    if it % 40 == 39:
        print(f"{it + 1:4d}  loss {loss.item():.4f}")

reader.eval()
x, present = strips(1000, 1400, len(glyphs))
with torch.no_grad():
    scores = reader(x)
k = present.sum(1)
order = scores.argsort(1, descending=True)
hits = sum(present[r, order[r, :k[r]]].sum().item() for r in range(len(x)))
print("fraction of numerals found:", hits / k.sum().item())
