import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn


class Stage(nn.Module):
    """Strided convolution, norm, activation, then a residual 1x1 mix."""

    def __init__(self, c_in, c_out, groups=1):
        super().__init__()
        self.down = nn.Conv2d(c_in, c_out, 3, stride=2, padding=1)
        self.norm = nn.GroupNorm(groups, c_out)
        self.act = nn.SiLU()
        self.mix = nn.Conv2d(c_out, c_out, 1)

    def forward(self, x):
        x = self.act(self.norm(self.down(x)))
        return x + self.mix(x)


class Pyramid(nn.Module):
    def __init__(self, classes=10):
        super().__init__()
        self.stages = nn.ModuleList([Stage(1, 16), Stage(16, 32), Stage(32, 16)])
        self.head = nn.Linear(16, classes)

    def forward(self, x):
        for stage in self.stages:
            x = stage(x)
        return self.head(x.flatten(1))


def accuracy(model, x, y):
    with torch.no_grad():
        return (model(x).argmax(1) == y).float().mean().item()


if __name__ == "__main__":
    torch.manual_seed(0)
    digits = load_digits()
    images = torch.tensor(digits.images / 16).float().unsqueeze(1)
    labels = torch.tensor(digits.target)
    xa, xb, ya, yb = train_test_split(images, labels, test_size=0.25, random_state=1, stratify=labels)
    model = Pyramid()
    optimizer = torch.optim.AdamW(model.parameters(), lr=4e-3, weight_decay=0.01)
    for epoch in range(20):
        for i in torch.randperm(len(xa)).split(48):
            loss = nn.functional.cross_entropy(model(xa[i]), ya[i])
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
        if epoch % 4 == 3:
            print(f"epoch {epoch + 1:2d}  loss {loss.item():.4f}  train {accuracy(model, xa, ya):.3f}")
    print(f"held-out accuracy {accuracy(model, xb, yb):.3f}")
