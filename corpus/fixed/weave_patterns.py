"""Tell six woven patterns apart with a small fully convolutional network."""
import math
import torch
import torch.nn as nn

torch.manual_seed(0)
SIZE, KINDS = 16, 6


def swatches(n):
    kind = torch.randint(0, KINDS, (n,))
    r = torch.arange(SIZE).float()
    yy, xx = torch.meshgrid(r, r, indexing="ij")
    angle = kind.float()[:, None, None] * math.pi / KINDS + 0.05 * torch.randn(n, 1, 1)
    phase = 2 * math.pi * torch.rand(n, 1, 1)
    thread = torch.sin(1.3 * (xx * torch.cos(angle) + yy * torch.sin(angle)) + phase)
    return (thread + 0.7 * torch.randn(n, SIZE, SIZE)).unsqueeze(1), kind


def stage(cin, cout):
    return nn.Sequential(nn.Conv2d(cin, cout, 5, padding=2), nn.InstanceNorm2d(cout, affine=True), nn.ReLU())


class WeaveNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(stage(1, 10), nn.MaxPool2d(2), stage(10, 20))
        self.classify = nn.Linear(20, KINDS)

    def forward(self, x):
        return self.classify(self.features(x).mean(dim=(2, 3)))


x_train, y_train = swatches(1000)
x_test, y_test = swatches(600)
model = WeaveNet()
optimizer = torch.optim.Adam(model.parameters(), lr=1.5e-2)
for epoch in range(8):
    model.train()
    for batch in torch.randperm(1000).split(40):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x_train[batch]), y_train[batch])
        loss.backward()
        optimizer.step()
    model.eval()
    with torch.no_grad():
        acc = (model(x_test).argmax(1) == y_test).float().mean().item()
    print(f"epoch {epoch} loss {loss.item():.4f} held-out accuracy {acc:.3f}")
