import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
from sklearn.datasets import make_blobs

torch.manual_seed(5)
features, labels = make_blobs(n_samples=600, centers=3, n_features=2, cluster_std=2.0, random_state=2)
dataset = TensorDataset(torch.tensor(features, dtype=torch.float32), torch.tensor(labels))
batch_size = 32
loader = DataLoader(dataset, batch_size=batch_size, shuffle=True)

model = nn.Sequential(
    nn.Linear(2, 50), nn.ReLU(),
    nn.Linear(50, 50), nn.ReLU(),
    nn.Linear(50, 3),
)
nn.init.kaiming_uniform_(model[0].weight, nonlinearity="relu")
nn.init.kaiming_uniform_(model[2].weight, nonlinearity="relu")
loss_fn = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)

for epoch in range(1, 9):
    seen, total, right, worst = 0, 0.0, 0, 0.0
    for xb, yb in loader:
        pred = model(xb)
        loss = loss_fn(pred, yb)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        seen += len(yb)
        total += loss.item() * len(yb)
        worst = max(worst, loss.item())
        right += (pred.argmax(1) == yb).sum().item()
    with torch.no_grad():
        full = loss_fn(model(dataset.tensors[0]), dataset.tensors[1]).item()
    print(f"epoch {epoch}: mean {total / seen:.3f} max {worst:.3f} train acc {right / seen:.3f} whole set {full:.3f}")
