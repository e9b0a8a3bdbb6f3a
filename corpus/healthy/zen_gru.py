"""A character model of a short poem."""
import codecs
import contextlib
import io

import torch
from torch import nn

with contextlib.redirect_stdout(io.StringIO()):
    import this

torch.manual_seed(1991)
text = codecs.decode(this.s, "rot13")
alphabet = sorted(set(text))
ids = torch.tensor([alphabet.index(c) for c in text])


class CharGRU(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.embed = nn.Embedding(n, 24)
        self.gru = nn.GRU(24, 96, batch_first=True)
        self.out = nn.Linear(96, n)

    def forward(self, x, h=None):
        z, h = self.gru(self.embed(x), h)
        return self.out(z), h


model = CharGRU(len(alphabet))
opt = torch.optim.RMSprop(model.parameters(), lr=3e-3)
T = 24
for step in range(300):
    s = torch.randint(0, len(ids) - T - 1, (16,))
    x = torch.stack([ids[k:k + T] for k in s])
    y = torch.stack([ids[k + 1:k + T + 1] for k in s])
    logits, _ = model(x)
    loss = nn.functional.cross_entropy(logits.reshape(-1, len(alphabet)), y.reshape(-1))
    opt.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 0.5)
    opt.step()
    if step % 30 == 0:
        print(f"{step:4d} perplexity {loss.exp().item():.2f}")

with torch.no_grad():
    c, h, made = ids[:1].view(1, 1), None, ""
    for _ in range(60):
        lg, h = model(c, h)
        c = lg[:, -1].argmax(-1, keepdim=True)
        made += alphabet[c.item()]
print("final loss", loss.item())
print(repr(made))
