import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn

torch.manual_seed(0)
rng = np.random.default_rng(0)
digits = load_digits()


def strips(n, length=4):
    pick = rng.integers(0, len(digits.target), size=(n, length))
    images = np.concatenate([digits.images[pick[:, k]] for k in range(length)], axis=2)
    return torch.tensor(images / 16, dtype=torch.float32).unsqueeze(1), torch.tensor(digits.target[pick] + 1)


class StripReader(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Sequential(
            nn.Conv2d(1, 32, 3, stride=(2, 2), padding=1), nn.BatchNorm2d(32), nn.ReLU(),
            nn.Conv2d(32, 64, 3, stride=(2, 2), padding=1), nn.BatchNorm2d(64), nn.ReLU(),
            nn.Conv2d(64, 64, (2, 3), stride=(2, 2), padding=(0, 0)), nn.BatchNorm2d(64), nn.ReLU(),
        )
        self.out = nn.Linear(64, 11)

    def forward(self, x):
        f = self.conv(x).squeeze(2)
        return self.out(f.permute(2, 0, 1)).log_softmax(-1)


model = StripReader()
ctc = nn.CTCLoss(blank=0)
opt = torch.optim.Adam(model.parameters(), lr=3e-3)
for it in range(1, 181):
    x, t = strips(32)
    logp = model(x)
    T, N, _ = logp.shape
    loss = ctc(logp, t, torch.full((N,), T), torch.full((N,), t.shape[1]))
    opt.zero_grad()
    loss.backward()
    opt.step()
    if it % 30 == 0 or it == 1:
        print(f"iter {it} frames {T} ctc {loss.item():.4f}")

model.eval()
x, t = strips(200)
with torch.no_grad():
    best = model(x).argmax(-1).T
hits = 0
for path, truth in zip(best.tolist(), t.tolist()):
    read = [c for i, c in enumerate(path) if c and (i == 0 or c != path[i - 1])]
    hits += read == truth
print("strips read correctly:", hits / 200)
