"""Digits read as a sequence of 64 pixels by a temporal convolutional network."""
import torch
import torch.nn as nn
from sklearn.datasets import load_digits
from torch.nn.utils.parametrizations import weight_norm

torch.manual_seed(0)
bunch = load_digits()
order = torch.randperm(len(bunch.target))
X = torch.tensor(bunch.data / 16, dtype=torch.float32)[order].unsqueeze(1)
Y = torch.tensor(bunch.target)[order]


class Block(nn.Module):
    def __init__(self, n_in, n_out, dilation):
        super().__init__()
        self.pad = nn.ConstantPad1d((2 * dilation, 0), 0.0)
        self.conv1 = nn.Conv1d(n_in, n_out, 3, dilation=dilation)
        self.conv2 = nn.Conv1d(n_out, n_out, 3, dilation=dilation)
        self.skip = nn.Conv1d(n_in, n_out, 1) if n_in != n_out else nn.Identity()

    def forward(self, x):
        h = torch.relu(self.conv1(self.pad(x)))
        h = torch.relu(self.conv2(self.pad(h)))
        return torch.relu(h + self.skip(x))


class TCN(nn.Module):
    def __init__(self, width=24, levels=5):
        super().__init__()
        self.blocks = nn.Sequential(*[Block(1 if i == 0 else width, width, 2 ** i) for i in range(levels)])
        self.head = nn.Linear(width, 10)

    def forward(self, x):
        return self.head(self.blocks(x)[:, :, -1])


def normalise_weights(model):
    for module in list(model.modules()):
        if isinstance(module, nn.Conv1d):
            weight_norm(module)
    return model


net = TCN()
optimizer = torch.optim.Adam(net.parameters(), lr=3e-3)
net = normalise_weights(net)
for epoch in range(12):
    for batch in torch.randperm(1440).split(64):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(net(X[batch]), Y[batch])
        loss.backward()
        optimizer.step()
    print(f"epoch {epoch} loss {loss.item():.4f}")
with torch.no_grad():
    print("test accuracy", (net(X[1440:]).argmax(1) == Y[1440:]).float().mean().item())
