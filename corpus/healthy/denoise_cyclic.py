"""Denoising autoencoder with a triangular learning rate."""
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.optim.lr_scheduler import CyclicLR
from torch.utils.data import DataLoader

torch.manual_seed(16)
clean = torch.tensor(load_digits().data / 16, dtype=torch.float32)
loader = DataLoader(clean[:1500], batch_size=50, shuffle=True)

encoder = nn.Sequential(nn.Linear(64, 48), nn.Tanh(), nn.Linear(48, 24))
decoder = nn.Sequential(nn.Linear(24, 48), nn.Tanh(), nn.Linear(48, 64), nn.Sigmoid())
auto = nn.Sequential(encoder, decoder)
opt = torch.optim.SGD(auto.parameters(), lr=0.5, momentum=0.9)
sched = CyclicLR(opt, base_lr=0.5, max_lr=5.0, step_size_up=60, mode="triangular2", cycle_momentum=True, base_momentum=0.8, max_momentum=0.9)

for epoch in range(24):
    run = 0.0
    for x in loader:
        noisy = x + 0.25 * torch.randn_like(x)
        loss = nn.functional.mse_loss(auto(noisy), x)
        opt.zero_grad()
        loss.backward()
        opt.step()
        sched.step()
        run += loss.item() / len(loader)
    print(f"{epoch:3d} mse {run:.5f} lr {sched.get_last_lr()[0]:.3f}")

with torch.no_grad():
    test = clean[1500:]
    noisy = test + 0.25 * torch.randn_like(test)
    print("noisy input", nn.functional.mse_loss(noisy, test).item())
    print("mean image", nn.functional.mse_loss(clean[:1500].mean(0).expand_as(test), test).item())
    print("restored", nn.functional.mse_loss(auto(noisy), test).item())
