import math

import torch
from torch import nn

torch.manual_seed(9)
FRAME, FRAMES = 32, 8


def clips(n):
    """Notes of different duration, padded with silence to 8 frames of 32 samples."""
    t = torch.arange(FRAME * FRAMES) / FRAME
    f = torch.rand(n, 1) * 6 + 2
    amp = torch.rand(n, 1) * 0.5 + 0.5
    clean = amp * torch.sin(2 * math.pi * f * t + torch.rand(n, 1) * 6.28)
    length = torch.randint(4, FRAMES + 1, (n, 1)) * FRAME
    mask = (torch.arange(FRAME * FRAMES) < length).float()
    noisy = clean + 0.4 * torch.randn_like(clean)
    return noisy * mask, clean * mask, mask


class Denoiser(nn.Module):
    def __init__(self, ch=24):
        super().__init__()
        self.net = nn.Sequential(
            nn.Conv1d(1, ch, 9, padding=4), nn.ReLU(),
            nn.Conv1d(ch, ch, 9, padding=4), nn.ReLU(),
            nn.Conv1d(ch, 1, 9, padding=4),
        )

    def forward(self, x, mask):
        return self.net(x[:, None]).squeeze(1) * mask


def magnitude(wave):
    spec = torch.fft.rfft(wave.view(-1, FRAMES, FRAME))
    return torch.sqrt(spec.real ** 2 + spec.imag ** 2)


model = Denoiser()
opt = torch.optim.Adam(model.parameters(), lr=2e-3)
for step in range(300):
    noisy, clean, mask = clips(16)
    out = model(noisy, mask)
    wave_loss = ((out - clean) ** 2).sum() / mask.sum()
    spec_loss = ((magnitude(out) - magnitude(clean)) ** 2).mean()
    loss = wave_loss + 0.02 * spec_loss
    opt.zero_grad()
    loss.backward()
    opt.step()
    if step % 25 == 0 or step == 299:
        before = (((noisy - clean) ** 2).sum() / mask.sum()).item()
        print(f"{step:4d} wave {wave_loss.item():.4f} (input {before:.4f}) spectrum {spec_loss.item():.4f}")
