"""For every position: how often does this token occur in the sequence? (the histogram task of the RASP papers)"""
import torch
from torch import nn, optim

torch.manual_seed(0)
VOCAB, LEN, WIDTH = 8, 12, 48


def make(n):
    seq = torch.randint(0, VOCAB, (n, LEN))
    count = (seq.unsqueeze(2) == seq.unsqueeze(1)).sum(2) - 1
    return seq, count


class Counter(nn.Module):
    def __init__(self):
        super().__init__()
        self.tok = nn.Embedding(VOCAB, WIDTH)
        layer = nn.TransformerEncoderLayer(WIDTH, 4, 96, dropout=0.0, batch_first=True, norm_first=True)
        self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.head = nn.Linear(WIDTH, LEN)

    def forward(self, seq):
        return self.head(self.encoder(self.tok(seq)))


WARMUP = 250
model = Counter()
optimizer = optim.AdamW(model.parameters(), lr=2e-3)
scheduler = optim.lr_scheduler.LambdaLR(optimizer, lambda n: min(1.0, (n + 1) / WARMUP))
loss_fn = nn.CrossEntropyLoss()
test_seq, test_count = make(500)

for epoch in range(12):
    running = 0.0
    for _ in range(60):
        seq, count = make(48)
        loss = loss_fn(model(seq).flatten(0, 1), count.flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step()
        running += loss.item()
    print(f"[{epoch:2d}] loss {running / 60:.4f}")

with torch.no_grad():
    hit = (model(test_seq).argmax(-1) == test_count).float().mean()
print(f"held-out accuracy per position: {hit:.3f}")
