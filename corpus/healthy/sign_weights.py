import torch
import torch.nn as nn
from sklearn.datasets import load_digits


class Sign(torch.autograd.Function):
    @staticmethod
    def forward(ctx, w):
        ctx.save_for_backward(w)
        return torch.where(w >= 0, 1.0, -1.0)

    @staticmethod
    def backward(ctx, g):
        (w,) = ctx.saved_tensors
        return g * (w.abs() <= 1)


class BinaryLinear(nn.Module):
    def __init__(self, n_in, n_out):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(n_out, n_in).uniform_(-0.5, 0.5))
        self.norm = nn.BatchNorm1d(n_out)

    def forward(self, x):
        return self.norm(x @ Sign.apply(self.weight).t() / x.shape[1] ** 0.5)


class BinaryNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.l1, self.l2, self.l3 = BinaryLinear(64, 128), BinaryLinear(128, 128), BinaryLinear(128, 10)

    def forward(self, x):
        return self.l3(Sign.apply(self.l2(Sign.apply(self.l1(x)))))


torch.manual_seed(37)
d = load_digits()
X = torch.tensor(d.data).float() / 8 - 1
y = torch.tensor(d.target)
net = BinaryNet()
opt = torch.optim.RAdam(net.parameters(), lr=2e-2)
for epoch in range(12):
    net.train()
    for i in torch.randperm(1500).split(60):
        loss = nn.functional.multi_margin_loss(net(X[i]), y[i])
        opt.zero_grad()
        loss.backward()
        opt.step()
        with torch.no_grad():
            for layer in (net.l1, net.l2, net.l3):
                layer.weight.clamp_(-1, 1)
    net.eval()
    with torch.no_grad():
        print(epoch, "margin loss", round(loss.item(), 4), "test", (net(X[1500:]).argmax(1) == y[1500:]).float().mean().item())
