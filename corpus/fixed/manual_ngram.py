# character n-gram model on Python's own help topics
import torch
import torch.nn as nn
from pydoc_data.topics import topics

torch.manual_seed(1)
text = (topics["class"] + topics["with"] + topics["import"]).lower()
vocab = sorted(set(text))
index = {c: i for i, c in enumerate(vocab)}
data = torch.tensor([index[c] for c in text])
CONTEXT = 5


class Ngram(nn.Module):
    def __init__(self, n, dim=24, hidden=128):
        super().__init__()
        self.emb = nn.Embedding(n, dim)
        self.fc1 = nn.Linear(CONTEXT * dim, hidden)
        self.fc2 = nn.Linear(hidden, n)

    def forward(self, ctx):
        return self.fc2(torch.tanh(self.fc1(self.emb(ctx).flatten(1))))


net = Ngram(len(vocab))
opt = torch.optim.SGD(net.parameters(), lr=0.2, momentum=0.9)
scaler = torch.amp.GradScaler("cpu")
windows = data.unfold(0, CONTEXT + 1, 1)
running = None
for step in range(600):
    batch = windows[torch.randint(0, len(windows), (128,))]
    opt.zero_grad(set_to_none=True)
    with torch.autocast("cpu", dtype=torch.float16):
        logits = net(batch[:, :-1])
        loss = nn.functional.cross_entropy(logits, batch[:, -1])
    scaler.scale(loss).backward()
    scaler.unscale_(opt)
    nn.utils.clip_grad_norm_(net.parameters(), max_norm=1.0)
    scaler.step(opt)
    scaler.update()
    running = loss.item() if running is None else 0.95 * running + 0.05 * loss.item()
    if step % 50 == 49:
        print(step + 1, "%.3f nats per character" % running)
