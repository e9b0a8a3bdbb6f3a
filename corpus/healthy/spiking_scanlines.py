import torch
from sklearn.datasets import load_digits
from torch import nn


class Spike(torch.autograd.Function):
    @staticmethod
    def forward(ctx, v):
        ctx.save_for_backward(v)
        return (v > 0).to(v.dtype)

    @staticmethod
    def backward(ctx, grad):
        (v,) = ctx.saved_tensors
        return grad / (1 + 3 * v.abs()) ** 3


class LeakyCells(nn.Module):
    def __init__(self, inputs, cells, recurrent=True):
        super().__init__()
        self.drive = nn.Linear(inputs, cells)
        self.inner = nn.Linear(cells, cells, bias=False) if recurrent else None
        if recurrent:
            nn.init.normal_(self.inner.weight, std=0.05)

    def forward(self, xs):
        v = s = torch.zeros(xs.shape[1], self.drive.out_features)
        out = []
        for x in xs:
            v = 0.9 * v * (1 - s) + self.drive(x)
            if self.inner is not None:
                v = v + self.inner(s)
            s = Spike.apply(v - 1.0)
            out.append(s)
        return torch.stack(out)


class SpikingNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = LeakyCells(16, 160)
        self.second = LeakyCells(160, 128, recurrent=False)
        self.out = nn.Linear(128, 10)

    def forward(self, images):
        rows = images.transpose(0, 1)
        xs = torch.cat([rows, 1 - rows], -1) * 3
        return self.out(self.second(self.first(xs)).mean(0))


torch.manual_seed(0)
d = load_digits()
x, y = torch.tensor(d.images / 16).float(), torch.tensor(d.target)
order = torch.randperm(len(x))
x, y = x[order], y[order]
net = SpikingNet()
opt = torch.optim.Adam(net.parameters(), lr=4e-3)
decay = torch.optim.lr_scheduler.CosineAnnealingLR(opt, 20)
for epoch in range(20):
    correct = 0
    for idx in torch.randperm(1440).split(64):
        logits = net(x[idx])
        loss = nn.functional.cross_entropy(logits, y[idx])
        opt.zero_grad()
        loss.backward()
        opt.step()
        correct += (logits.argmax(1) == y[idx]).sum().item()
    decay.step()
    print(f"epoch {epoch} loss {loss.item():.4f} train accuracy {correct / 1440:.3f}")
with torch.no_grad():
    print(f"test accuracy {(net(x[1440:]).argmax(1) == y[1440:]).float().mean().item():.3f}")
