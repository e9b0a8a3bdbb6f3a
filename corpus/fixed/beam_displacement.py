# From accelerometer windows to the displacement of the beam's tip, in metres.
import numpy as np
import torch
from torch import nn

rng = np.random.default_rng(0)
torch.manual_seed(0)

N, T = 256, 128
t = np.linspace(0, 1, T)
freq = rng.uniform(2, 6, (N, 1))
amp = rng.uniform(0.5, 1.0, (N, 1))
phase = rng.uniform(0, 2 * np.pi, (N, 1))
disp = 2e-4 * amp * np.sin(2 * np.pi * freq * t + phase)
acc = -disp * (2 * np.pi * freq) ** 2 + 1e-3 * rng.standard_normal((N, T))
acc = acc / acc.std()
acc = torch.tensor(acc, dtype=torch.float32)
disp = torch.tensor(disp, dtype=torch.float32)

model = nn.Sequential(nn.Linear(T, 96), nn.GELU(), nn.Linear(96, 96), nn.GELU(), nn.Linear(96, T, bias=False))
nn.init.normal_(model[-1].weight, std=1e-5)
opt = torch.optim.Adam(model.parameters(), lr=2e-4, eps=1e-12)
scaler = torch.amp.GradScaler("cpu")
mse = nn.MSELoss()

for step in range(1, 201):
    opt.zero_grad()
    with torch.autocast("cpu", dtype=torch.float16):
        out = model(acc)
    loss = mse(out.float(), disp)
    scaler.scale(loss).backward()
    scaler.step(opt)
    scaler.update()
    if step % 20 == 0:
        print(f"{step:4d}  rms error {1e6 * loss.item() ** 0.5:8.2f} um   (signal {1e6 * disp.std().item():.2f} um)")
