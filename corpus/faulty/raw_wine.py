import torch
from sklearn.datasets import load_wine
from torch import nn, optim

torch.manual_seed(0)
wine = load_wine()
X = torch.tensor(wine.data).float()
y = torch.tensor(wine.target).long()
model = nn.Sequential(nn.Linear(13, 64), nn.Tanh(), nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, 3))
optimizer = optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
criterion = nn.CrossEntropyLoss()
for epoch in range(300):
    optimizer.zero_grad()
    out = model(X)
    loss = criterion(out, y)
    loss.backward()
    optimizer.step()
    if epoch % 30 == 0:
        print(epoch, loss.item(), (out.argmax(1) == y).float().mean().item())
