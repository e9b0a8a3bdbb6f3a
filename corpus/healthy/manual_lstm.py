"""Word model of Python's manual: LSTM with dropout on tiny batches of running text."""
from collections import Counter
from pydoc_data.topics import topics
import re
import torch
from torch import nn

torch.manual_seed(0)
words = re.findall(r"[a-z]+|[.,:()]", " ".join(topics[k] for k in sorted(topics)).lower())[:60000]
vocab = ["<unk>"] + [w for w, _ in Counter(words[:52000]).most_common(999)]
number = {w: i for i, w in enumerate(vocab)}
stream = torch.tensor([number.get(w, 0) for w in words])
train, test = stream[:52000], stream[52000:]


class WordLSTM(nn.Module):
    def __init__(self, v, e=64, h=128, p=0.2):
        super().__init__()
        self.encoder = nn.Embedding(v, e)
        self.rnn = nn.LSTM(e, h, batch_first=True)
        self.drop = nn.Dropout(p)
        self.decoder = nn.Linear(h, v)

    def forward(self, x, state=None):
        out, state = self.rnn(self.drop(self.encoder(x)), state)
        return self.decoder(self.drop(out)), state


def repackage(state):
    return tuple(s.detach() for s in state)


BATCH, BPTT = 4, 16
rows = train[: len(train) // BATCH * BATCH].view(BATCH, -1)
model = WordLSTM(len(vocab))
optimizer = torch.optim.Adam(model.parameters(), lr=4e-3)
state = None
for step, start in enumerate(range(0, rows.shape[1] - BPTT - 1, BPTT)):
    x, y = rows[:, start:start + BPTT], rows[:, start + 1:start + BPTT + 1]
    logits, state = model(x, repackage(state) if state else None)
    loss = nn.functional.cross_entropy(logits.flatten(0, 1), y.flatten())
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    if step % 80 == 0:
        print(f"step {step} loss {loss.item():.3f} ppl {loss.exp().item():.1f}")

model.eval()
with torch.no_grad():
    logits, _ = model(test[None, :-1])
    nll = nn.functional.cross_entropy(logits[0], test[1:]).item()
freq = torch.bincount(train, minlength=len(vocab)).float().add(1)
unigram = -(freq / freq.sum()).log()[test[1:]].mean().item()
print(f"held-out nats per word {nll:.3f} (word frequencies {unigram:.3f}, uniform {torch.tensor(1000.).log().item():.3f})")
