import codecs
import contextlib
import io

import torch
from torch import nn

with contextlib.redirect_stdout(io.StringIO()):
    import this

torch.manual_seed(1)
text = codecs.decode(this.s, "rot13").lower()
chars = sorted(set(text))
ids = torch.tensor([chars.index(c) for c in text])
V = len(chars)
T, B = 25, 16


class CharRNN(nn.Module):
    def __init__(self, vocab, hidden=96):
        super().__init__()
        self.emb = nn.Embedding(vocab, 32)
        self.rnn = nn.RNN(32, hidden, batch_first=True)
        self.out = nn.Linear(hidden, vocab)

    def forward(self, x):
        h, _ = self.rnn(self.emb(x))
        return self.out(h)


model = CharRNN(V)
sgd = torch.optim.SGD(model.parameters(), lr=20.0)
print(len(text), "characters,", V, "different")

avg = 0.0
for it in range(1, 601):
    start = torch.randint(0, len(ids) - T - 1, (B,))
    x = torch.stack([ids[s:s + T] for s in start])
    y = torch.stack([ids[s + 1:s + T + 1] for s in start])
    loss = nn.functional.cross_entropy(model(x).reshape(-1, V), y.reshape(-1))
    sgd.zero_grad()
    loss.backward()
    sgd.step()
    avg += loss.item() / 50
    if it % 50 == 0:
        print(f"iter {it:4d}  loss {avg:.3f}")
        avg = 0.0
