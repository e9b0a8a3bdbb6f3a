"""Binary activations with a straight-through estimator."""
import torch
from sklearn.datasets import load_digits
from torch import nn


class Sign(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return torch.where(x >= 0, 1.0, -1.0)

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return g * (x.abs() <= 1)


binarize = Sign.apply


class BinaryNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.l1, self.n1 = nn.Linear(64, 128), nn.BatchNorm1d(128)
        self.l2, self.n2 = nn.Linear(128, 128), nn.BatchNorm1d(128)
        self.l3 = nn.Linear(128, 10)

    def forward(self, x):
        x = binarize(self.n1(self.l1(x)))
        x = binarize(self.n2(self.l2(x)))
        return self.l3(x)


torch.manual_seed(0)
d = load_digits()
X, y = torch.tensor(d.data / 16).float(), torch.tensor(d.target)
net = BinaryNet()
opt = torch.optim.Adam(net.parameters(), lr=2e-3)
for epoch in range(10):
    for i in torch.randperm(1500).split(64):
        loss = nn.functional.cross_entropy(net(X[i]), y[i])
        opt.zero_grad()
        loss.backward()
        opt.step()
    net.eval()
    print(epoch, loss.item(), (net(X[1500:]).argmax(1) == y[1500:]).float().mean().item())
    net.train()
