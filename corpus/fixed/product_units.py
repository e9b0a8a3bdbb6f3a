import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split


class ProductBlock(nn.Module):
    def __init__(self, width, expand=2):
        super().__init__()
        self.left = nn.Linear(width, expand * width)
        self.right = nn.Linear(width, expand * width)
        self.down = nn.Linear(expand * width, width)
        for lin in (self.left, self.right):
            nn.init.kaiming_normal_(lin.weight)
            nn.init.zeros_(lin.bias)

    def forward(self, x):
        return x + self.down(torch.sigmoid(self.left(x)) * self.right(x))


class Net(nn.Module):
    def __init__(self, width=48, blocks=10):
        super().__init__()
        self.stem = nn.Linear(64, width)
        self.blocks = nn.ModuleList([ProductBlock(width) for _ in range(blocks)])
        self.head = nn.Linear(width, 10)

    def forward(self, x):
        x = self.stem(x)
        for block in self.blocks:
            x = block(x)
        return self.head(x)


def train(args):
    torch.manual_seed(args["seed"])
    X, y = load_digits(return_X_y=True)
    Xa, Xb, ya, yb = train_test_split(X, y, test_size=0.25, random_state=0)
    m, s = Xa.mean(), Xa.std()
    Xa, Xb = [torch.tensor((v - m) / s, dtype=torch.float32) for v in (Xa, Xb)]
    ya, yb = torch.tensor(ya), torch.tensor(yb)
    net = Net(blocks=args["blocks"])
    opt = torch.optim.Adam(net.parameters(), lr=args["lr"])
    for step in range(args["steps"]):
        i = torch.randint(len(Xa), (args["batch"],))
        loss = F.cross_entropy(net(Xa[i]), ya[i])
        opt.zero_grad()
        loss.backward()
        opt.step()
        if step % 60 == 0:
            print("step", step, "loss", loss.item())
    with torch.no_grad():
        return (net(Xb).argmax(1) == yb).float().mean().item()


print("accuracy", train({"seed": 0, "blocks": 10, "lr": 1e-3, "steps": 300, "batch": 64}))
