"""Digits read line by line."""
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(3)
data = load_digits()
xa, xb, ya, yb = train_test_split(data.images / 16, data.target, test_size=0.25, random_state=3)
loader = DataLoader(TensorDataset(torch.tensor(xa).float(), torch.tensor(ya)), batch_size=64, shuffle=True)
xb, yb = torch.tensor(xb).float(), torch.tensor(yb)


class Reader(nn.Module):
    def __init__(self):
        super().__init__()
        self.lift = nn.Sequential(nn.Linear(8, 32), nn.Tanh())
        self.rnn = nn.GRU(32, 48, batch_first=True)
        self.out = nn.Linear(48, 10)

    def forward(self, x):
        _, h = self.rnn(self.lift(x))
        return self.out(h[-1])


model = Reader()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
scaler = torch.amp.GradScaler("cpu", init_scale=8.0)
for epoch in range(10):
    norms = []
    for x, y in loader:
        with torch.autocast("cpu", dtype=torch.float16):
            loss = nn.functional.cross_entropy(model(x), y)
        optimizer.zero_grad()
        scaler.scale(loss).backward()
        factor = 1.0 / scaler.get_scale()
        for p in model.parameters():
            p.grad.mul_(factor)
        norms.append(nn.utils.clip_grad_norm_(model.parameters(), 2.0).item())
        scaler.step(optimizer)
        scaler.update()
    print(f"epoch {epoch} loss {loss.item():.3f} mean norm {sum(norms) / len(norms):.3f}")
with torch.no_grad():
    print("test accuracy", (model(xb).argmax(1) == yb).float().mean().item())
