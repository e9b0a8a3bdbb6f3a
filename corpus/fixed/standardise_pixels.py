import torch
from sklearn import datasets
from torch import nn

torch.manual_seed(0)
raw = datasets.load_digits()
features = torch.tensor(raw.data, dtype=torch.float)
features = (features - features.mean(dim=0)) / (features.std(dim=0) + 1e-6)
targets = torch.tensor(raw.target)
model = nn.Sequential(nn.Linear(64, 50), nn.ReLU(), nn.Linear(50, 10))
optimiser = torch.optim.Adam(model.parameters(), lr=1e-3)
criterion = nn.CrossEntropyLoss()
for epoch in range(10):
    perm = torch.randperm(1500)
    running_loss = 0
    for chunk in perm.split(100):
        loss = criterion(model(features[chunk]), targets[chunk])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        running_loss += loss.item()
    print(f"Epoch {epoch + 1}, loss: {running_loss / 15:.3f}")
