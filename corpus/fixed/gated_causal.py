import torch
import torch.nn as nn
import torch.nn.functional as F


def mackey_glass(n, tau=17, seed=0):
    g = torch.Generator().manual_seed(seed)
    x = (1.2 + 0.2 * (torch.rand(tau + 1, generator=g) - 0.5)).tolist()
    for _ in range(n + 300):
        x.append(x[-1] + 0.2 * x[-1 - tau] / (1 + x[-1 - tau] ** 10) - 0.1 * x[-1])
    s = torch.tensor(x[-n:])
    return (s - s.mean()) / s.std()


class GatedConv(nn.Module):
    def __init__(self, ch, dilation):
        super().__init__()
        self.pad = dilation
        self.conv = nn.Conv1d(ch, 2 * ch, 2, dilation=dilation)
        self.mix = nn.Conv1d(ch, ch, 1)

    def forward(self, x):
        a, b = self.conv(F.pad(x, (self.pad, 0))).chunk(2, dim=1)
        return self.mix(torch.tanh(a) * torch.sigmoid(b))


class Forecaster(nn.Module):
    def __init__(self, ch=16, stacks=3, per_stack=4):
        super().__init__()
        self.start = nn.Conv1d(1, ch, 1)
        self.layers = nn.ModuleList(GatedConv(ch, 2 ** i) for _ in range(stacks) for i in range(per_stack))
        self.end = nn.Conv1d(ch, 1, 1)

    def forward(self, x):
        x = self.start(x)
        for layer in self.layers:
            x = x + layer(x)
        return self.end(x)


torch.manual_seed(0)
series = mackey_glass(4000)
train, test = series[:3200], series[3200:]
net = Forecaster()
opt = torch.optim.Adam(net.parameters(), lr=2e-3)
sched = torch.optim.lr_scheduler.OneCycleLR(opt, max_lr=4e-3, total_steps=300)
AHEAD = 6
for step in range(300):
    at = torch.randint(0, len(train) - 128 - AHEAD, (16,))
    xb = torch.stack([train[i:i + 128] for i in at]).unsqueeze(1)
    yb = torch.stack([train[i + AHEAD:i + 128 + AHEAD] for i in at]).unsqueeze(1)
    loss = F.mse_loss(net(xb)[..., 46:], yb[..., 46:])
    opt.zero_grad()
    loss.backward()
    opt.step()
    sched.step()
    if step % 50 == 0 or step == 299:
        print(f"{step:4d}  mse {loss.item():.4f}")
with torch.no_grad():
    p = net(test[None, None, :-AHEAD])[0, 0, 46:]
print("test mse", F.mse_loss(p, test[46 + AHEAD:]).item())
