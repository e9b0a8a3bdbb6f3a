"""Is a front coming? Classify barometer traces (in pascal) as falling, steady or rising."""
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

np.random.seed(0)
torch.manual_seed(0)


def traces(n, hours=36):
    kind = np.random.randint(0, 3, n)
    slope = np.array([-40.0, 0.0, 40.0])[kind] + 8 * np.random.randn(n)
    start = 101325 + 600 * np.random.randn(n, 1)
    walk = np.cumsum(30 * np.random.randn(n, hours), axis=1)
    return (start + slope[:, None] * np.arange(hours) + walk).astype("float32"), kind


class Forecaster(nn.Module):
    def __init__(self):
        super().__init__()
        self.gru = nn.GRU(1, 32, batch_first=True)
        self.fc = nn.Linear(32, 3)

    def forward(self, x):
        out, _ = self.gru(x.unsqueeze(-1))
        return self.fc(out[:, -1])


pressure, kind = traces(1000)
pressure = (pressure - pressure.mean()) / pressure.std()
dataset = TensorDataset(torch.from_numpy(pressure), torch.from_numpy(kind))
loader = DataLoader(dataset, batch_size=50, shuffle=True)
model = Forecaster()
optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
criterion = nn.CrossEntropyLoss()

for epoch in range(12):
    stats = {"loss": 0.0, "hits": 0}
    for x, y in loader:
        logits = model(x)
        loss = criterion(logits, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        stats["loss"] += loss.item() / len(loader)
        stats["hits"] += (logits.argmax(1) == y).sum().item()
    print(f"epoch {epoch}: loss {stats['loss']:.3f} accuracy {stats['hits'] / len(dataset):.3f}")
