import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn


def conv_bn(c_in, c_out, k, **kw):
    return nn.Sequential(nn.Conv2d(c_in, c_out, k, bias=False, **kw), nn.BatchNorm2d(c_out), nn.ReLU(inplace=True))


class Inception(nn.Module):
    def __init__(self, c_in, c):
        super().__init__()
        self.b1 = conv_bn(c_in, c, 1)
        self.b3 = nn.Sequential(conv_bn(c_in, c, 1), conv_bn(c, c, 3, padding=1))
        self.pool = conv_bn(c_in, c, 1)

    def forward(self, x):
        return torch.cat([self.b1(x), self.b3(x), self.pool(F.avg_pool2d(x, 3, 1, 1))], 1)


class TinyInception(nn.Module):
    def __init__(self, classes):
        super().__init__()
        self.stem = conv_bn(1, 12, 3, padding=1)
        self.mix1 = Inception(12, 8)
        self.mix2 = Inception(24, 12)
        self.fc = nn.Linear(36 * 4, classes)

    def forward(self, x):
        x = F.max_pool2d(self.mix1(self.stem(x)), 2)
        x = F.max_pool2d(self.mix2(x), 2)
        return self.fc(x.flatten(1))


def turned(images, turns):
    """The same drawings, each turned by its number of quarter turns."""
    return torch.stack([torch.rot90(img, int(k), (1, 2)) for img, k in zip(images, turns)])


torch.manual_seed(0)
digits = load_digits()
keep = torch.tensor([int(t) in (2, 3, 4, 5, 7) for t in digits.target])
images = (torch.tensor(digits.images).float().unsqueeze(1) / 8 - 1)[keep]
turns = torch.randint(0, 4, (len(images),))
x, y = turned(images, turns), turns
train, test = torch.arange(len(x))[:700], torch.arange(len(x))[700:]
model = TinyInception(4)
opt = torch.optim.RMSprop(model.parameters(), lr=2e-3, alpha=0.9, eps=1.0)
sched = torch.optim.lr_scheduler.ExponentialLR(opt, 0.94)
for epoch in range(14):
    model.train()
    for idx in train[torch.randperm(len(train))].split(32):
        opt.zero_grad()
        loss = F.cross_entropy(model(x[idx]), y[idx])
        loss.backward()
        opt.step()
    sched.step()
    print(epoch, round(loss.item(), 4))
model.eval()
with torch.no_grad():
    print("held-out accuracy of the turn", round((model(x[test]).argmax(1) == y[test]).float().mean().item(), 3))
