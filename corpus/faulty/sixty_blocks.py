import torch
from sklearn.datasets import load_wine
from torch import nn

torch.manual_seed(0)
DEPTH, WIDTH = 64, 48

wine = load_wine()
features = torch.tensor(wine.data).float()
features = (features - features.mean(0)) / features.std(0)
label = torch.tensor(wine.target)


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.up = nn.Linear(WIDTH, WIDTH)
        self.down = nn.Linear(WIDTH, WIDTH)
        for lin in (self.up, self.down):
            nn.init.kaiming_normal_(lin.weight, nonlinearity="relu")
            nn.init.zeros_(lin.bias)

    def forward(self, h):
        return h + self.down(torch.relu(self.up(h)))


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Linear(13, WIDTH)
        self.blocks = nn.ModuleList(Block() for _ in range(DEPTH))
        self.head = nn.Linear(WIDTH, 3)

    def forward(self, h):
        h = self.stem(h)
        for block in self.blocks:
            h = block(h)
        return self.head(h)


net = Net()
sgd = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9)
for epoch in range(20):
    for rows in torch.randperm(len(features)).split(36):
        loss = nn.functional.cross_entropy(net(features[rows]), label[rows])
        sgd.zero_grad()
        loss.backward()
        sgd.step()
    if epoch % 2 == 1:
        with torch.no_grad():
            out = net(features)
        print(epoch + 1, nn.functional.cross_entropy(out, label).item(), (out.argmax(1) == label).float().mean().item())
