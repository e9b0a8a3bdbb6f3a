"""A selective scan: which mark was the last one in a long row of blanks?"""
import math

import torch
import torch.nn as nn
import torch.nn.functional as F

BLANK, MARKS = 0, 6


def rows(n, length, density=0.15):
    marks = torch.randint(1, MARKS + 1, (n, length))
    tokens = torch.where(torch.rand(n, length) < density, marks, BLANK)
    tokens[:, 0] = marks[:, 0]
    where = torch.where(tokens > 0, torch.arange(length), -1).max(1).values
    return tokens, tokens.gather(1, where.unsqueeze(1)).squeeze(1) - 1


class SelectiveScan(nn.Module):
    def __init__(self, d_inner, d_state=8):
        super().__init__()
        self.A_log = nn.Parameter(torch.log(torch.arange(1.0, d_state + 1)).repeat(d_inner, 1))
        self.x_proj = nn.Linear(d_inner, 2 * d_state, bias=False)
        self.dt_proj = nn.Linear(d_inner, d_inner)
        with torch.no_grad():
            dt = torch.exp(torch.rand(d_inner) * (math.log(0.1) - math.log(0.005)) + math.log(0.005))
            self.dt_proj.bias.copy_(dt + torch.log(-torch.expm1(-dt)))
        self.D = nn.Parameter(torch.ones(d_inner))

    def forward(self, x):
        A = torch.exp(self.A_log)
        B, C = self.x_proj(x).chunk(2, dim=-1)
        dt = F.softplus(self.dt_proj(x))
        state = x.new_zeros(x.shape[0], *A.shape)
        for t in range(x.shape[1]):
            decay = torch.exp(dt[:, t].unsqueeze(-1) * A)
            state = decay * state + (dt[:, t] * x[:, t]).unsqueeze(-1) * B[:, t].unsqueeze(1)
        return torch.einsum("bdn,bn->bd", state, C[:, -1]) + self.D * x[:, -1]


class Reader(nn.Module):
    def __init__(self, d=24):
        super().__init__()
        self.embed = nn.Embedding(MARKS + 1, d)
        self.inner = nn.Linear(d, 2 * d)
        self.scan = SelectiveScan(2 * d)
        self.norm = nn.LayerNorm(2 * d)
        self.head = nn.Linear(2 * d, MARKS)

    def forward(self, tokens):
        return self.head(self.norm(self.scan(F.silu(self.inner(self.embed(tokens))))))


torch.manual_seed(0)
model = Reader()
optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3, weight_decay=0.01)
for step in range(250):
    tokens, answer = rows(32, 48)
    loss = F.cross_entropy(model(tokens), answer)
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    if step % 25 == 0:
        print(f"step {step:3d}  loss {loss.item():.4f}")
tokens, answer = rows(1000, 48)
with torch.no_grad():
    print(f"held-out accuracy {(model(tokens).argmax(1) == answer).float().mean().item():.3f}")
