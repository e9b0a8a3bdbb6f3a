import torch
from sklearn.datasets import load_digits
from torch import nn


class Reverse(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, strength):
        ctx.strength = strength
        return x.view_as(x)

    @staticmethod
    def backward(ctx, grad):
        return -ctx.strength * grad, None


torch.manual_seed(29)
d = load_digits()
x = torch.tensor(d.data / 16).float()
y = torch.tensor(d.target)
source, target = x[:900], (0.6 * x[900:] + 0.3 + 0.1 * torch.randn(len(x) - 900, 64)).clamp(0, 1)
ys, yt = y[:900], y[900:]

features = nn.Sequential(nn.Linear(64, 96), nn.ReLU(), nn.Linear(96, 48), nn.ReLU())
labeller = nn.Linear(48, 10)
critic = nn.Sequential(nn.Linear(48, 32), nn.ReLU(), nn.Linear(32, 1))
opt_main = torch.optim.SGD(
    [{"params": features[0].parameters(), "lr": 0.02}, {"params": features[2].parameters(), "lr": 0.05}, {"params": labeller.parameters(), "lr": 0.1}],
    momentum=0.9,
)
opt_critic = torch.optim.RMSprop(critic.parameters(), lr=5e-4)

for step in range(500):
    strength = 0.3 * min(1.0, step / 250)
    i, j = torch.randint(len(source), (64,)), torch.randint(len(target), (64,))
    fs, ft = features(source[i]), features(target[j])
    class_loss = nn.functional.cross_entropy(labeller(fs), ys[i])
    dom = critic(Reverse.apply(torch.cat([fs, ft]), strength)).squeeze(1)
    dom_loss = nn.functional.binary_cross_entropy_with_logits(dom, torch.cat([torch.zeros(64), torch.ones(64)]))
    opt_main.zero_grad()
    opt_critic.zero_grad()
    (class_loss + dom_loss).backward()
    opt_main.step()
    opt_critic.step()
    if step % 50 == 0:
        print(f"{step:4d} class {class_loss.item():.4f} domain {dom_loss.item():.4f}")
with torch.no_grad():
    print("source", (labeller(features(source)).argmax(1) == ys).float().mean().item())
    print("target", (labeller(features(target)).argmax(1) == yt).float().mean().item())
