import torch
import torch.nn as nn
import torch.nn.functional as F

gen = torch.Generator().manual_seed(20)


def textures(n):
    """16x16 patches: horizontal, vertical, diagonal, checkered, blotchy"""
    kind = torch.randint(0, 5, (n,), generator=gen)
    i = torch.arange(16.0).view(1, 16, 1)
    j = torch.arange(16.0).view(1, 1, 16)
    f = (0.9 + 0.8 * torch.rand(n, 1, 1, generator=gen))
    p = 6.28 * torch.rand(n, 1, 1, generator=gen)
    q = 6.28 * torch.rand(n, 1, 1, generator=gen)
    rough = F.avg_pool2d(torch.randn(n, 1, 18, 18, generator=gen), 3, 1).squeeze(1) * 3
    forms = torch.stack([
        (f * i + p).sin() + 0 * j, (f * j + p).sin() + 0 * i, (f * (i + j) * 0.7 + p).sin(),
        (f * i + p).sin() * (f * j + q).sin() * 1.4, rough], 1)
    x = forms[torch.arange(n), kind]
    return (x + 0.5 * torch.randn(x.shape, generator=gen)).unsqueeze(1), kind


class Stage(nn.Module):
    def __init__(self, cin, cout, stride):
        super().__init__()
        self.conv = nn.Conv2d(cin, cout, 3, stride, 1, bias=False)
        self.norm = nn.InstanceNorm2d(cout, affine=True)

    def forward(self, x):
        return F.relu(self.norm(self.conv(x)))


class TextureNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.stages = nn.Sequential(Stage(1, 16, 1), Stage(16, 32, 2), Stage(32, 32, 1))
        self.fc = nn.Linear(32, 5)

    def forward(self, x):
        return self.fc(F.adaptive_avg_pool2d(self.stages(x), 1).flatten(1))


torch.manual_seed(0)
x, y = textures(1500)
xt, yt = textures(500)
net = TextureNet()
opt = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9)
for epoch in range(8):
    seen = 0.0
    for idx in torch.randperm(len(x)).split(50):
        loss = F.cross_entropy(net(x[idx]), y[idx])
        opt.zero_grad()
        loss.backward()
        opt.step()
        seen += loss.item() * len(idx)
    with torch.no_grad():
        acc = (net(xt).argmax(1) == yt).float().mean().item()
    print(f"epoch {epoch}: loss {seen / len(x):.4f}, test accuracy {acc:.3f}")
