"""A diagonal state space model reads digits pixel by pixel and answers at the last pixel."""
import math

import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn


class S4D(nn.Module):
    def __init__(self, d_model, d_state=16):
        super().__init__()
        self.log_dt = nn.Parameter(torch.empty(d_model).uniform_(math.log(1e-3), math.log(1e-1)))
        self.log_decay = nn.Parameter(torch.full((d_model, d_state // 2), math.log(0.5)))
        self.freq = nn.Parameter(math.pi * torch.arange(d_state // 2).float().repeat(d_model, 1))
        self.C = nn.Parameter(torch.randn(d_model, d_state // 2, 2) * 0.5 ** 0.5)
        self.D = nn.Parameter(torch.randn(d_model))

    def kernel(self, length):
        dt = self.log_dt.exp().unsqueeze(-1)
        A = torch.complex(-self.log_decay.exp(), self.freq)
        C = torch.view_as_complex(self.C) * (torch.exp(A * dt) - 1.0) / A
        powers = torch.exp((A * dt).unsqueeze(-1) * torch.arange(length))
        return 2 * torch.einsum("hn,hnl->hl", C, powers).real

    def forward(self, u):
        n = u.shape[-1]
        spectrum = torch.fft.rfft(self.kernel(n), n=2 * n) * torch.fft.rfft(u, n=2 * n)
        return torch.fft.irfft(spectrum, n=2 * n)[..., :n] + self.D.unsqueeze(-1) * u


class PixelReader(nn.Module):
    def __init__(self, d=32, depth=2):
        super().__init__()
        self.lift = nn.Linear(1, d)
        self.ssm = nn.ModuleList(S4D(d) for _ in range(depth))
        self.norm = nn.ModuleList(nn.LayerNorm(d) for _ in range(depth))
        self.glu = nn.ModuleList(nn.Linear(d, 2 * d) for _ in range(depth))
        self.head = nn.Linear(d, 10)

    def forward(self, x):
        h = self.lift(x)
        for ssm, norm, glu in zip(self.ssm, self.norm, self.glu):
            z = F.gelu(ssm(norm(h).transpose(1, 2))).transpose(1, 2)
            h = h + F.glu(glu(z), -1)
        return self.head(h[:, -1])


torch.manual_seed(0)
digits = load_digits()
x = torch.tensor(digits.data / 16).float().unsqueeze(-1)
y = torch.tensor(digits.target)
order = torch.randperm(len(x))
train, test = order[:1400], order[1400:]
model = PixelReader()
opt = torch.optim.AdamW(model.parameters(), lr=8e-3)
for epoch in range(7):
    for idx in train[torch.randperm(len(train))].split(32):
        loss = F.cross_entropy(model(x[idx]), y[idx])
        opt.zero_grad()
        loss.backward()
        opt.step()
    print(f"epoch {epoch} loss {loss.item():.4f}")
with torch.no_grad():
    print(f"held-out accuracy {(model(x[test]).argmax(1) == y[test]).float().mean().item():.3f}")
