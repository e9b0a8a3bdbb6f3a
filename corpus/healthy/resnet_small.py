import torch
from sklearn.datasets import load_digits
from torch import nn


class BasicBlock(nn.Module):
    def __init__(self, cin, cout, stride=1):
        super().__init__()
        self.conv1 = nn.Conv2d(cin, cout, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(cout)
        self.conv2 = nn.Conv2d(cout, cout, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(cout)
        self.relu = nn.ReLU(inplace=True)
        self.shortcut = nn.Identity() if stride == 1 and cin == cout else nn.Conv2d(cin, cout, 1, stride, bias=False)

    def forward(self, x):
        out = self.relu(self.bn1(self.conv1(x)))
        return self.relu(self.bn2(self.conv2(out)) + self.shortcut(x))


torch.manual_seed(0)
blocks = [nn.Conv2d(1, 8, 3, 1, 1)] + [BasicBlock(8, 8) for _ in range(4)] + [BasicBlock(8, 16, 2)]
blocks += [BasicBlock(16, 16) for _ in range(3)]
model = nn.Sequential(*blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, 10))
d = load_digits()
X, Y = torch.tensor(d.images / 16).float().unsqueeze(1), torch.tensor(d.target)
opt = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9, weight_decay=1e-4)
sched = torch.optim.lr_scheduler.CosineAnnealingLR(opt, 5 * 24)
for epoch in range(5):
    model.train()
    for i in torch.randperm(1500).split(64):
        loss = nn.functional.cross_entropy(model(X[i]), Y[i])
        opt.zero_grad()
        loss.backward()
        opt.step()
        sched.step()
    print(f"Epoch {epoch} loss {loss.item():.4f}")
model.eval()
print("acc", (model(X[1500:]).argmax(1) == Y[1500:]).float().mean().item())
