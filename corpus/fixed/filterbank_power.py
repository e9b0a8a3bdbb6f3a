"""Tell four machines apart from vibration recordings (12 bit samples) with a learned filterbank."""
import math

import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(4)


def recordings(n, length=512, rate=2000.0):
    machine = torch.randint(0, 4, (n,))
    freq = torch.tensor([60.0, 110.0, 180.0, 290.0])[machine] + 8 * torch.randn(n)
    t = torch.arange(length) / rate
    phase = 2 * math.pi * torch.rand(n, 1)
    wave = 1400 * torch.sin(2 * math.pi * freq[:, None] * t + phase) + 500 * torch.randn(n, length)
    return wave.round().clamp(-2048, 2047).unsqueeze(1), machine


class Filterbank(nn.Module):
    def __init__(self, bands=16, width=33):
        super().__init__()
        self.filters = nn.Conv1d(1, bands, width, stride=4, padding=width // 2, bias=False)

    def forward(self, wave):
        band = self.filters(wave).float()
        power = band * band
        return torch.log(power.mean(dim=-1) + 1.0)


class MachineNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.bank = Filterbank()
        self.norm = nn.LayerNorm(16)
        self.head = nn.Sequential(nn.Linear(16, 32), nn.ReLU(), nn.Linear(32, 4))

    def forward(self, wave):
        return self.head(self.norm(self.bank(wave)))


waves, machines = recordings(1024)
model = MachineNet()
optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
scaler = torch.amp.GradScaler("cpu")
for epoch in range(12):
    hits = 0
    for idx in torch.randperm(len(waves)).split(64):
        optimizer.zero_grad()
        with torch.autocast("cpu", dtype=torch.float16):
            logits = model(waves[idx])
        loss = F.cross_entropy(logits.float(), machines[idx])
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()
        hits += (logits.argmax(1) == machines[idx]).sum().item()
    print(f"epoch {epoch}: loss {loss.item():.4f}  accuracy {hits / len(waves):.3f}")
