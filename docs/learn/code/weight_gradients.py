"""Thirty ReLU layers: the gradient of the weights hides what the gradient of the signal shows."""

from math import log10

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.nn import functional as F

images, labels = load_digits(return_X_y=True)
x, y = torch.tensor(images / 16, dtype=torch.float32), torch.tensor(labels)
x = (x - x.mean()) / x.std()


def ratios(init):
    """First over last hidden layer: the signal, its gradient δ, the gradient of the weights; and δ of each layer."""
    torch.manual_seed(0)
    layers = [nn.Linear(64, 128), *(nn.Linear(128, 128) for _ in range(29))]
    head = nn.Linear(128, 10)
    h, signals, before = x[:256], [], []
    for layer in layers:
        init(layer.weight)
        nn.init.zeros_(layer.bias)
        before.append(layer(h))
        before[-1].retain_grad()
        h = F.relu(before[-1])
        signals.append(float(h.detach().norm()))
    F.cross_entropy(head(h), y[:256]).backward()
    deltas = [float(z.grad.norm()) for z in before]
    weights = [float(layer.weight.grad.norm()) for layer in layers]
    # The first layer has another shape, the second is like the last.
    return [log10(of[1] / of[-1]) for of in (signals, deltas, weights)], signals, deltas, weights


inits = {
    "PyTorch's default": lambda w: nn.init.uniform_(w, -(w.shape[1] ** -0.5), w.shape[1] ** -0.5),
    "Xavier": nn.init.xavier_normal_,
    "Kaiming": lambda w: nn.init.kaiming_normal_(w, nonlinearity="relu"),
}
curves = {}
print("layer 2 over layer 30, decades     signal   its gradient δ   gradient of the weights")
for name, init in inits.items():
    (signal, delta, weight), *curves[name] = ratios(init)
    print(f"{name:30} {signal:+10.1f}   {delta:+14.1f}   {weight:+23.1f}")
