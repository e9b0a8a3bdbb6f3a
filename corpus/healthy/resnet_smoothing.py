import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits


class BasicBlock(nn.Module):
    def __init__(self, cin, cout, stride=1):
        super().__init__()
        self.conv1 = nn.Conv2d(cin, cout, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(cout)
        self.conv2 = nn.Conv2d(cout, cout, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(cout)
        self.short = nn.Identity() if cin == cout and stride == 1 else nn.Conv2d(cin, cout, 1, stride, bias=False)

    def forward(self, x):
        out = F.relu(self.bn1(self.conv1(x)))
        return F.relu(self.bn2(self.conv2(out)) + self.short(x))


class ResNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(1, 12, 3, 1, 1)
        self.body = nn.Sequential(BasicBlock(12, 12), BasicBlock(12, 24, 2), BasicBlock(24, 24), BasicBlock(24, 48, 2))
        self.fc = nn.Linear(48, 10)

    def forward(self, x):
        return self.fc(self.body(F.relu(self.stem(x))).mean((2, 3)))


torch.manual_seed(7)
digits = load_digits()
imgs = torch.tensor(digits.images, dtype=torch.float32).unsqueeze(1) / 8 - 1
labels = torch.tensor(digits.target)
perm = torch.randperm(len(imgs))
tr, va = perm[:1400], perm[1400:]

net = ResNet()
opt = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9, nesterov=True, weight_decay=5e-4)
criterion = nn.CrossEntropyLoss(label_smoothing=0.2)

for step in range(200):
    net.train()
    i = tr[torch.randint(len(tr), (48,))]
    opt.zero_grad()
    loss = criterion(net(imgs[i]), labels[i])
    loss.backward()
    opt.step()
    if step % 20 == 19:
        net.eval()
        with torch.no_grad():
            out = net(imgs[va])
            print(f"step {step + 1}: train {loss.item():.4f} val {criterion(out, labels[va]).item():.4f} "
                  f"acc {(out.argmax(1) == labels[va]).float().mean().item():.4f}")
