import numpy as np
import torch
import torch.nn as nn
from sklearn.datasets import load_digits

torch.manual_seed(0)

bunch = load_digits()
images = (bunch.images * 255 / 16).astype(np.uint8)  # same format as our scanned forms
labels = bunch.target

x = torch.from_numpy(images).unsqueeze(1).float() / 255
y = torch.from_numpy(labels)
x_train, y_train, x_val, y_val = x[:1500], y[:1500], x[1500:], y[1500:]


class DigitNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 16, 3)
        self.conv2 = nn.Conv2d(16, 16, 3)
        self.fc1 = nn.Linear(16 * 4 * 4, 64)
        self.fc2 = nn.Linear(64, 10)

    def forward(self, x):
        x = torch.relu(self.conv1(x))
        x = torch.relu(self.conv2(x))
        x = torch.relu(self.fc1(x.flatten(1)))
        return self.fc2(x)


net = DigitNet()
opt = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9)
criterion = nn.CrossEntropyLoss()
for epoch in range(10):
    perm = torch.randperm(1500)
    cum = 0
    for i in range(0, 1500, 60):
        idx = perm[i:i + 60]
        loss = criterion(net(x_train[idx]), y_train[idx])
        opt.zero_grad()
        loss.backward()
        opt.step()
        cum += loss.item()
    with torch.no_grad():
        acc = (net(x_val).argmax(1) == y_val).float().mean()
    print(f"epoch {epoch}: loss {cum / 25:.4f}, val acc {acc:.3f}")
