"""Fill the gaps of a table: a fifth of the measurements are missing (NaN), and stay unknown to the loss."""
import torch
from sklearn.datasets import load_breast_cancer
from torch import nn

torch.manual_seed(0)
full = torch.tensor(load_breast_cancer().data).float()
full = full[torch.randperm(len(full))]
gaps = torch.rand(full.shape) < 0.2
table = full.masked_fill(gaps, float("nan"))
train, test = table[:450], table[450:]
mean = train.nanmean(0)
std = (train - mean).pow(2).nanmean(0).sqrt()
train, test = (train - mean) / std, (test - mean) / std


class Filler(nn.Module):
    def __init__(self, columns, width=64):
        super().__init__()
        self.columns = columns
        self.net = nn.Sequential(
            nn.Linear(2 * columns, width), nn.SiLU(), nn.Dropout(0.1), nn.Linear(width, 8), nn.Linear(8, width), nn.SiLU(), nn.Linear(width, columns)
        )

    def forward(self, rows, hide=None):
        known = ~rows.isnan()
        if hide is not None:
            known = known & ~hide
        seen = torch.where(known, rows, torch.zeros_like(rows))
        return self.net(torch.cat([seen, known.float()], 1))


net = Filler(full.shape[1])
opt = torch.optim.AdamW(net.parameters(), lr=3e-3, weight_decay=0.1)
smooth = 1.0
for step in range(1500):
    rows = train[torch.randint(0, len(train), (48,))]
    hide = torch.rand(rows.shape) < 0.3
    out, known = net(rows, hide), ~rows.isnan()
    loss = (out[known] - rows[known]).pow(2).mean()
    opt.zero_grad()
    loss.backward()
    opt.step()
    smooth = 0.98 * smooth + 0.02 * loss.item()
    if step % 150 == 0:
        print(f"step {step} loss {smooth:.4f}")
net.eval()
with torch.no_grad():
    truth = (full[450:] - mean) / std
    hole = gaps[450:]
    filled = (net(test) - truth)[hole].pow(2).mean()
    plain = truth[hole].pow(2).mean()
print(f"error in the gaps {filled.item():.4f}, column means would give {plain.item():.4f}")
