import torch
from torch import nn


class DiagonalSSM(nn.Module):
    """x_t = a * x_{t-1} + B u_t,  y_t = C x_t + D u_t"""

    def __init__(self, d_in, d_state, d_out):
        super().__init__()
        self.theta = nn.Parameter(torch.linspace(1.0, 6.0, d_state))
        self.B = nn.Linear(d_in, d_state)
        self.C = nn.Linear(d_state, d_out)
        self.D = nn.Linear(d_in, d_out, bias=False)

    def forward(self, u):
        a = torch.sigmoid(self.theta)
        drive = self.B(u) * (1 - a ** 2).sqrt()
        x = torch.zeros(u.size(0), a.numel())
        ys = []
        for t in range(u.size(1)):
            x = a * x + drive[:, t]
            ys.append(x)
        return self.C(torch.stack(ys, 1)) + self.D(u)


class Recaller(nn.Module):
    def __init__(self, symbols):
        super().__init__()
        self.emb = nn.Embedding(symbols + 2, 24)
        self.ssm = DiagonalSSM(24, 64, 48)
        self.out = nn.Sequential(nn.GELU(), nn.Linear(48, 48), nn.GELU(), nn.Linear(48, symbols))

    def forward(self, s):
        return self.out(self.ssm(self.emb(s))[:, -1])


SYMBOLS, LENGTH = 8, 60


def sample(n, g):
    s = torch.randint(0, 2, (n, LENGTH), generator=g) + SYMBOLS
    y = torch.randint(0, SYMBOLS, (n,), generator=g)
    s[:, 0] = y
    return s, y


torch.manual_seed(0)
g = torch.Generator().manual_seed(9)
model = Recaller(SYMBOLS)
opt = torch.optim.Adam(model.parameters(), lr=2e-3)
for step in range(500):
    s, y = sample(64, g)
    loss = nn.functional.cross_entropy(model(s), y)
    model.zero_grad()
    loss.backward()
    opt.step()
    if step % 100 == 0 or step == 499:
        print(f"step {step} loss {loss.item():.4f}")
s, y = sample(1000, g)
with torch.no_grad():
    print("accuracy", (model(s).argmax(1) == y).float().mean().item())
