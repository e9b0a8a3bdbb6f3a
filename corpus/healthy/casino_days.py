"""Hidden Markov model by gradient ascent on the summed log-likelihood of all sequences."""
import torch
from torch import nn


class HMM(nn.Module):
    def __init__(self, states, symbols):
        super().__init__()
        self.start = nn.Parameter(torch.zeros(states))
        self.move = nn.Parameter(2 * torch.eye(states))
        self.emit = nn.Parameter(torch.randn(states, symbols))

    def log_prob(self, seq):
        move, emit = self.move.log_softmax(1), self.emit.log_softmax(1)
        alpha = self.start.log_softmax(0) + emit[:, seq[:, 0]].T
        for t in range(1, seq.shape[1]):
            alpha = torch.logsumexp(alpha.unsqueeze(2) + move, 1) + emit[:, seq[:, t]].T
        return torch.logsumexp(alpha, 1)


def sample(n, length, move, emit):
    s = torch.randint(0, len(move), (n,))
    out = []
    for _ in range(length):
        out.append(torch.multinomial(emit[s], 1).squeeze(1))
        s = torch.multinomial(move[s], 1).squeeze(1)
    return torch.stack(out, 1)


torch.manual_seed(0)
true_move = torch.tensor([[0.95, 0.05], [0.10, 0.90]])
true_emit = torch.tensor([[1 / 6] * 6, [0.04] * 5 + [0.8]])
train, test = sample(150, 40, true_move, true_emit), sample(150, 40, true_move, true_emit)
model = HMM(2, 6)
opt = torch.optim.Adam(model.parameters(), lr=0.05, eps=1.0)
for step in range(250):
    loss = -model.log_prob(train).sum()
    opt.zero_grad()
    loss.backward()
    opt.step()
    if step % 25 == 0:
        print(f"step {step:3d}  negative log-likelihood {loss.item():.1f}")
with torch.no_grad():
    mine = -model.log_prob(test).mean() / 40
    truth = HMM(2, 6)
    truth.move.copy_(true_move.log())
    truth.emit.copy_(true_emit.log())
    best = -truth.log_prob(test).mean() / 40
    counts = torch.bincount(train.flatten(), minlength=6) / train.numel()
    unigram = -counts.log()[test].mean()
print(f"held-out nats per throw {mine.item():.4f}; true model {best.item():.4f}; frequencies alone {unigram.item():.4f}")
