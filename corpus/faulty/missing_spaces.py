"""Put the spaces back into text that lost them: a bidirectional GRU over letters."""
from pydoc_data.topics import topics
import torch
from torch import nn

words = "".join(c if c.isalpha() and c.isascii() else " " for c in " ".join(topics.values()).lower()).split()
letters, gaps = [], []
for w in words:
    for i, c in enumerate(w):
        letters.append(ord(c) - 97)
        gaps.append(float(i == len(w) - 1))
T = 48
n = len(letters) // T
inputs = torch.tensor(letters[: n * T]).view(n, T)
targets = torch.tensor(gaps[: n * T]).view(n, T)
cut = int(0.8 * n)


class Spacer(nn.Module):
    def __init__(self, width=64):
        super().__init__()
        self.embed = nn.Embedding(26, 24)
        self.rnn = nn.GRU(24, width, bidirectional=True)
        self.head = nn.Linear(2 * width, 1)

    def forward(self, chars):
        states, _ = self.rnn(self.embed(chars.t()))
        return self.head(states).squeeze(-1)


torch.manual_seed(1)
net = Spacer()
opt = torch.optim.Adam(net.parameters(), lr=6e-3)
criterion = nn.BCEWithLogitsLoss()
for step in range(200):
    rows = torch.randint(0, cut, (32,))
    logits = net(inputs[rows])
    loss = criterion(logits.reshape(-1), targets[rows].reshape(-1))
    opt.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(net.parameters(), 1.0)
    opt.step()
    if step % 25 == 0:
        print(f"{step:4d} {loss.item():.4f}")

net.eval()
with torch.no_grad():
    out = net(inputs[cut:cut + 600]).t()
hit = (out > 0).float()
truth = targets[cut:cut + 600]
tp = (hit * truth).sum()
print(f"F1 of the spaces {(2 * tp / (hit.sum() + truth.sum())).item():.3f}, letters right {(hit == truth).float().mean().item():.3f}, "
      f"without any space {(1 - truth.mean()).item():.3f}")
