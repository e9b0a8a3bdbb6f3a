"""30 tanh layers, library defaults."""
import torch
import torch.nn as nn
from sklearn.datasets import load_digits


class DeepTanh(nn.Module):
    def __init__(self, depth=30, width=100):
        super().__init__()
        self.inp = nn.Linear(64, width)
        self.hidden = nn.ModuleList([nn.Linear(width, width) for _ in range(depth)])
        self.out = nn.Linear(width, 10)

    def forward(self, x):
        x = torch.tanh(self.inp(x))
        for layer in self.hidden:
            x = torch.tanh(layer(x))
        return self.out(x)


def main():
    torch.manual_seed(3)
    d = load_digits()
    X = torch.tensor(d.data, dtype=torch.float32)
    X = (X - X.mean()) / X.std()
    y = torch.tensor(d.target)
    model = DeepTanh()
    optim = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    for it in range(400):
        idx = torch.randint(0, 1500, (64,))
        loss = nn.functional.cross_entropy(model(X[idx]), y[idx])
        optim.zero_grad()
        loss.backward()
        optim.step()
        if it % 100 == 99:
            acc = (model(X[1500:]).argmax(-1) == y[1500:]).float().mean()
            print("iter", it + 1, "loss", round(loss.item(), 4), "val acc", round(acc.item(), 3))


if __name__ == "__main__":
    main()
