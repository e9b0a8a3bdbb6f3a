import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(0)


def sample(n):
    x = torch.rand(n, 1) * 6 - 3
    sigma = 0.01 + 0.03 * torch.sigmoid(3 * x)
    return x, torch.sin(2 * x) * 0.5 + sigma * torch.randn(n, 1), sigma


class MeanAndVariance(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(1, 64), nn.SiLU(), nn.Linear(64, 64), nn.SiLU())
        self.mean = nn.Linear(64, 1)
        self.spread = nn.Sequential(nn.Linear(1, 32), nn.Tanh(), nn.Linear(32, 1))
        nn.init.zeros_(self.spread[2].weight)

    def forward(self, x):
        mean = self.mean(self.body(x))
        log_var = self.spread(x) - 4.0
        return mean, log_var


net = MeanAndVariance()
x_train, y_train, _ = sample(3000)
x_test, y_test, s_test = sample(1000)
optimizer = torch.optim.Adam(net.parameters(), lr=3e-3)
steps = 900
scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=5e-3, total_steps=steps)

for step in range(steps):
    idx = torch.randint(0, len(x_train), (128,))
    mean, log_var = net(x_train[idx])
    if step < 200:
        loss = F.mse_loss(mean, y_train[idx])
    else:
        loss = F.gaussian_nll_loss(mean, y_train[idx], log_var.exp())
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(net.parameters(), 1.0)
    optimizer.step()
    scheduler.step()
    if step % 100 == 0:
        print(f"step {step:4d}  loss {loss.item():9.4f}")

with torch.no_grad():
    mean, log_var = net(x_test)
    z = (y_test - mean) / (0.5 * log_var).exp()
    ratio = ((0.5 * log_var).exp() / s_test).log().abs().mean().exp()
    rmse = (mean - y_test).pow(2).mean().sqrt()
print(f"rmse {rmse:.4f} (spread of y {y_test.std():.3f}), sigma off by a factor of {ratio:.2f}, std of z {z.std():.2f}")
