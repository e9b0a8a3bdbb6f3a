"""Fit a hidden Markov model to switching symbol streams by gradient descent."""
import torch
from torch import nn

torch.manual_seed(1)
STATES, SYMBOLS = 3, 9
move = torch.full((STATES, STATES), 0.04) + 0.88 * torch.eye(STATES)
emit = torch.full((STATES, SYMBOLS), 0.02)
for s in range(STATES):
    emit[s, 3 * s : 3 * s + 3] += torch.tensor([0.5, 0.25, 0.07])


def stream(length):
    state, out = torch.randint(0, STATES, ()), []
    for _ in range(length):
        out.append(torch.multinomial(emit[state], 1))
        state = torch.multinomial(move[state], 1)[0]
    return torch.cat(out)


def batch_of(length, size=16):
    return torch.stack([stream(length) for _ in range(size)])


class HMM(nn.Module):
    def __init__(self):
        super().__init__()
        self.start = nn.Parameter(torch.zeros(STATES))
        self.move = nn.Parameter(torch.randn(STATES, STATES) * 0.5 + 2 * torch.eye(STATES))
        self.emit = nn.Parameter(torch.randn(STATES, SYMBOLS))

    def forward(self, x):
        A, B = self.move.softmax(1), self.emit.softmax(1)
        alpha = self.start.softmax(0) * B[:, x[:, 0]].T
        for t in range(1, x.shape[1]):
            alpha = (alpha @ A) * B[:, x[:, t]].T
        return alpha.sum(1).log()


lengths = [10, 12, 14, 16, 20, 24, 30, 100]
train = [batch_of(n) for n in lengths]
held_out = batch_of(30, 64)
model = HMM()
optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
for epoch in range(30):
    total = tokens = 0.0
    for x in train[: 2 + epoch // 3]:
        loss = -model(x).sum() / x.numel()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total, tokens = total + loss.item() * x.numel(), tokens + x.numel()
    if epoch % 3 == 0:
        print(f"epoch {epoch} nats per symbol {total / tokens:.4f}")
with torch.no_grad():
    score = -model(held_out).sum() / held_out.numel()
print(f"held out: {score.item():.4f} nats per symbol (uniform guess {torch.tensor(float(SYMBOLS)).log().item():.4f})")
