"""A Gaussian per class and pixel, fitted by gradient descent; classify by the likelihood."""
import math

import torch
from sklearn.datasets import load_digits
from torch import nn

torch.manual_seed(0)
d = load_digits()
x_all = torch.tensor(d.data / 16, dtype=torch.float32)
y_all = torch.tensor(d.target)
x_train, y_train, x_test, y_test = x_all[:1400], y_all[:1400], x_all[1400:], y_all[1400:]


class ClassGaussians(nn.Module):
    def __init__(self, classes, pixels):
        super().__init__()
        self.mean = nn.Parameter(torch.zeros(classes, pixels))
        self.log_std = nn.Parameter(torch.zeros(classes, pixels))

    def log_prob(self, x, c):
        log_std = self.log_std[c].clamp(min=-2)
        z = (x - self.mean[c]) / log_std.exp()
        return (-0.5 * z ** 2 - log_std - 0.5 * math.log(2 * math.pi)).sum(-1)


model = ClassGaussians(10, 64)
opt = torch.optim.Adam([
    {"params": [model.mean], "lr": 0.02},
    {"params": [model.log_std], "lr": 0.2},
])


def accuracy():
    with torch.no_grad():
        scores = torch.stack([model.log_prob(x_test, torch.full((len(x_test),), c)) for c in range(10)], 1)
    return (scores.argmax(1) == y_test).float().mean().item()


step = 0
for epoch in range(100):
    for idx in torch.randperm(len(x_train)).split(140):
        nll = -model.log_prob(x_train[idx], y_train[idx]).mean()
        opt.zero_grad()
        nll.backward()
        opt.step()
        step += 1
    if (epoch + 1) % 10 == 0:
        print(f"epoch {epoch + 1} step {step} nll {nll.item():.3f}")
print("test accuracy", accuracy())
