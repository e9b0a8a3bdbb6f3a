import codecs
import contextlib
import io

import torch
from torch import nn

torch.manual_seed(8)
with contextlib.redirect_stdout(io.StringIO()):
    import this
verse = codecs.decode(this.s, "rot13").lower()
letters = sorted(set(verse))
ids = torch.tensor([letters.index(c) for c in verse])
N = 16


class NGram(nn.Module):
    def __init__(self, v, d=24):
        super().__init__()
        self.emb = nn.Embedding(v, d)
        self.body = nn.Sequential(nn.Linear(N * d, 160), nn.ReLU(), nn.Linear(160, 160), nn.ReLU())
        self.out = nn.Linear(160, v)

    def forward(self, x):
        return self.out(self.body(self.emb(x).flatten(1)))


model = NGram(len(letters))
opt = torch.optim.Adam(model.parameters(), lr=1e-3)
scaler = torch.amp.GradScaler("cpu", init_scale=2.0 ** 32, growth_interval=20)
skipped = 0
for step in range(500):
    s = torch.randint(0, len(ids) - N, (64,))
    x = torch.stack([ids[k:k + N] for k in s])
    with torch.autocast("cpu", dtype=torch.float16):
        logits = model(x)
    loss = nn.functional.cross_entropy(logits.float(), ids[s + N])
    opt.zero_grad()
    scaler.scale(loss).backward()
    scaler.unscale_(opt)
    nn.utils.clip_grad_norm_(model.parameters(), 5.0)
    scaler.step(opt)
    before = scaler.get_scale()
    scaler.update()
    skipped += scaler.get_scale() < before
    if step % 50 == 49:
        print(f"step {step + 1} loss {loss.item():.3f} scale {scaler.get_scale():.0f} skipped {skipped}")

with torch.no_grad():
    x = ids.unfold(0, N + 1, 1)
    right = (model(x[:, :N]).argmax(1) == x[:, N]).float().mean().item()
print(f"letters known by heart {right:.3f}")
