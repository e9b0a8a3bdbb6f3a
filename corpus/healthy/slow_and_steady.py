import torch
import torch.nn as nn
from sklearn.datasets import load_digits

torch.manual_seed(9)
d = load_digits()
X = torch.tensor(d.data, dtype=torch.float32)
X = (X - X.mean(0)) / (X.std(0) + 1e-6)
y = torch.tensor(d.target)

model = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 10))
optimizer = torch.optim.SGD(model.parameters(), lr=0.004)
criterion = nn.CrossEntropyLoss()

history = []
for epoch in range(160):
    epoch_loss = 0.0
    for idx in torch.randperm(1500).split(100):
        optimizer.zero_grad()
        loss = criterion(model(X[idx]), y[idx])
        loss.backward()
        optimizer.step()
        epoch_loss += loss.item() / 15
    history.append(epoch_loss)
    if epoch % 10 == 0:
        print("epoch %3d  loss %.4f" % (epoch, epoch_loss))
print("first %.4f last %.4f" % (history[0], history[-1]))
print("test accuracy", (model(X[1500:]).argmax(1) == y[1500:]).float().mean().item())
