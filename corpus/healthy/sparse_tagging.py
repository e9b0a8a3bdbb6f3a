import random

import torch
import torch.nn as nn

IGNORE = -100
OPENING, CLOSING, LETTERS = 1, 2, 10


def document(length=24):
    ids, tags, inside = [], [], False
    for _ in range(length):
        r = random.random()
        if r < 0.15:
            ids.append(OPENING)
            inside = True
        elif r < 0.30:
            ids.append(CLOSING)
            inside = False
        else:
            ids.append(3 + random.randrange(LETTERS))
        tags.append(int(inside) + 2 * (ids[-1] % 2))
    return ids, tags


def make_set(n, annotated):
    ids, tags = map(torch.tensor, zip(*[document() for _ in range(n)]))
    keep = torch.rand(tags.shape) < annotated
    return ids, tags.masked_fill(~keep, IGNORE)


class Tagger(nn.Module):
    def __init__(self, hidden=48):
        super().__init__()
        self.embed = nn.Embedding(3 + LETTERS, 24)
        self.lstm = nn.LSTM(24, hidden, batch_first=True)
        self.out = nn.Linear(hidden, 4)

    def forward(self, ids):
        return self.out(self.lstm(self.embed(ids))[0])


random.seed(1)
torch.manual_seed(1)
ids, tags = make_set(1600, annotated=0.02)
ids_test, tags_test = make_set(300, annotated=1.0)
model = Tagger()
criterion = nn.CrossEntropyLoss(ignore_index=IGNORE, reduction="sum")
optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
step = 0
for epoch in range(7):
    for rows in torch.randperm(len(ids)).split(8):
        annotated = (tags[rows] != IGNORE).sum()
        loss = criterion(model(ids[rows]).flatten(0, 1), tags[rows].flatten()) / annotated.clamp(min=1)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        if step % 100 == 0:
            print(f"step {step:4d}  annotated tokens {annotated.item():2d}  loss {loss.item():.4f}")
        step += 1

model.eval()
with torch.no_grad():
    accuracy = (model(ids_test).argmax(-1) == tags_test).float().mean()
print(f"token accuracy on fully annotated documents {accuracy:.3f}")
