import torch
from sklearn.datasets import load_breast_cancer
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(21)

frame = load_breast_cancer()
names = list(frame.feature_names)
columns = [i for i, n in enumerate(names) if n.startswith("mean ")]
features = torch.tensor(frame.data[:, columns], dtype=torch.float32)
features = (features - features.mean(0)) / features.std(0)
area = torch.tensor(frame.data[:, names.index("worst area")], dtype=torch.float32).unsqueeze(1)
area = (area - area.mean()) / area.std()

dataset = TensorDataset(features, area)
train, valid = torch.utils.data.random_split(dataset, [469, 100])
train_loader = DataLoader(train, batch_size=32, shuffle=True)
valid_loader = DataLoader(valid, batch_size=100)

regressor = nn.Sequential(nn.Linear(10, 50), nn.ReLU(), nn.Linear(50, 50), nn.ReLU(), nn.Linear(50, 1))
mse = nn.MSELoss()
optim = torch.optim.SGD(regressor.parameters(), lr=0.01)

for epoch in range(25):
    regressor.train()
    seen = 0.0
    for xb, yb in train_loader:
        optim.zero_grad()
        loss = mse(regressor(xb), yb)
        loss.backward()
        optim.step()
        seen += loss.item() * len(xb)
    regressor.eval()
    with torch.no_grad():
        xv, yv = next(iter(valid_loader))
        r2 = 1 - mse(regressor(xv), yv) / yv.var()
    print(f"epoch {epoch:2d} | train mse {seen / 469:12.4f} | valid R2 {r2.item():.4f}")
