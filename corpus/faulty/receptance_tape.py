import torch
from torch import nn

torch.manual_seed(1)
LENGTH, SYMBOLS, FLAG = 24, 12, 12


def tapes(n):
    """a tape of symbols; answer: the symbol that follows the flag"""
    x = torch.randint(0, SYMBOLS, (n, LENGTH))
    at = torch.randint(0, LENGTH - 1, (n,))
    rows = torch.arange(n)
    x[rows, at] = FLAG
    return x, x[rows, at + 1]


class TimeMix(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.mix = nn.Parameter(torch.full((dim,), 0.5))
        self.decay = nn.Parameter(torch.linspace(-4, 0, dim))
        self.key = nn.Linear(dim, dim, bias=False)
        self.value = nn.Linear(dim, dim, bias=False)
        self.gate = nn.Linear(dim, dim, bias=False)

    def forward(self, x):
        before = torch.cat([torch.zeros_like(x[:, :1]), x[:, :-1]], 1)
        m = x * self.mix + before * (1 - self.mix)
        k, v, r = self.key(m), self.value(x), torch.sigmoid(self.gate(x))
        k, v = k.half(), v.half()
        w = torch.exp(-torch.exp(self.decay)).half()
        num = torch.zeros_like(k[:, 0])
        den = torch.zeros_like(k[:, 0])
        out = []
        for t in range(x.shape[1]):
            e = torch.exp(k[:, t])
            num = w * num + e * v[:, t]
            den = w * den + e
            out.append(num / den)
        return r * torch.stack(out, 1).float()


class Tape(nn.Module):
    def __init__(self, dim=48):
        super().__init__()
        self.emb = nn.Embedding(SYMBOLS + 1, dim)
        self.mix = TimeMix(dim)
        self.norm = nn.LayerNorm(dim)
        self.head = nn.Sequential(nn.Linear(dim, 96), nn.ReLU(), nn.Linear(96, SYMBOLS))

    def forward(self, x):
        h = self.emb(x)
        h = h + self.mix(h)
        return self.head(self.norm(h[:, -1]))


net = Tape()
opt = torch.optim.Adam(net.parameters(), lr=1e-3)
for step in range(900):
    x, y = tapes(64)
    loss = nn.functional.cross_entropy(net(x), y)
    opt.zero_grad()
    loss.backward()
    opt.step()
    if step % 50 == 0:
        print("step", step, "loss", round(loss.item(), 4))

x, y = tapes(2000)
with torch.no_grad():
    print("right symbol", (net(x).argmax(1) == y).float().mean().item())
