"""Trains in half precision throughout, on features of length one."""
import torch
from sklearn.datasets import load_digits
from torch import nn


class HalfNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(64, 512), nn.ReLU(), nn.Linear(512, 512), nn.ReLU())
        self.head = nn.Linear(512, 10)
        for m in self.body:
            if isinstance(m, nn.Linear):
                nn.init.kaiming_normal_(m.weight, nonlinearity="relu")

    def forward(self, x):
        h = self.body(x)
        h = h / h.float().pow(2).sum(1, keepdim=True).sqrt()
        return self.head(8 * h.half())


torch.manual_seed(0)
d = load_digits()
X, y = torch.tensor(d.data * 255 / 16).half(), torch.tensor(d.target)
net = HalfNet().half()
opt = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9)
for step in range(200):
    i = torch.randint(0, 1500, (64,))
    loss = nn.functional.cross_entropy(net(X[i]).float(), y[i])
    opt.zero_grad()
    loss.backward()
    opt.step()
    if step % 20 == 0:
        print(step, loss.item())
