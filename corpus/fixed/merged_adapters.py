"""High-rank updates from low-rank ones: step an adapter, merge it into the base, draw a new one."""
import math
import torch
import torch.nn as nn
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

X, y = load_digits(return_X_y=True)
X = torch.tensor(X / 16.0).float()
mirrored = X.view(-1, 8, 8).transpose(1, 2).reshape(-1, 64)
y = torch.tensor(y)
tr, te = train_test_split(torch.arange(len(X)), test_size=0.3, random_state=0)


class AdaptedLinear(nn.Module):
    def __init__(self, n_in, n_out, rank=16, alpha=16):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(n_out, n_in))
        self.bias = nn.Parameter(torch.zeros(n_out))
        nn.init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        self.down = nn.Parameter(torch.randn(rank, n_in) / n_in ** 0.5, requires_grad=False)
        self.up = nn.Parameter(torch.zeros(n_out, rank), requires_grad=False)
        self.scale = alpha / rank

    def forward(self, x):
        return x @ self.weight.to(x.dtype).t() + self.scale * (x @ self.down.t()) @ self.up.t() + self.bias

    def adapt(self):
        self.weight.requires_grad_(False)
        self.bias.requires_grad_(False)
        self.weight.data = self.weight.data.float()
        self.down.requires_grad_(True)
        self.up.requires_grad_(True)
        return [self.down, self.up]

    @torch.no_grad()
    def merge(self):
        self.weight += (self.scale * self.up @ self.down).to(self.weight.dtype)
        self.down.normal_(std=self.down.shape[1] ** -0.5)
        self.up.zero_()


def run(model, params, data, steps, lr, merge_every=None):
    optimizer = torch.optim.SGD(params, lr=lr)
    for step in range(1, steps + 1):
        idx = tr[torch.randint(0, len(tr), (256,)).numpy()]
        loss = nn.functional.cross_entropy(model(data[idx]), y[idx])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if merge_every and step % merge_every == 0:
            for layer in model:
                if isinstance(layer, AdaptedLinear):
                    layer.merge()
        if step % (steps // 6) == 0:
            print(f"  step {step} loss {loss.item():.4f}")


def accuracy(model, data):
    with torch.no_grad():
        return (model(data[te]).argmax(1) == y[te]).float().mean().item()


torch.manual_seed(0)
model = nn.Sequential(AdaptedLinear(64, 128), nn.ReLU(), AdaptedLinear(128, 10))
run(model, [p for m in model if isinstance(m, AdaptedLinear) for p in (m.weight, m.bias)], X, 400, 0.2)
print(f"upright {accuracy(model, X):.3f}, mirrored before adapting {accuracy(model, mirrored):.3f}")
adapters = [p for m in model if isinstance(m, AdaptedLinear) for p in m.adapt()]
run(model, adapters, mirrored, 2800, 0.015, merge_every=1)
print(f"mirrored after adapting {accuracy(model, mirrored):.3f}")
