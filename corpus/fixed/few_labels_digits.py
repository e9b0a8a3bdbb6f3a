import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(8)
raw = load_digits()
x = torch.tensor(raw.data / 16.0, dtype=torch.float32)
y = torch.tensor(raw.target)
order = torch.randperm(len(x))
x, y = x[order], y[order]
x_train, x_test = x[:1400], x[1400:]
y_train, y_test = y[:1400].clone(), y[1400:]
y_train[torch.rand(1400) > 0.12] = -1
print("labelled images:", (y_train >= 0).sum().item(), "of", len(y_train))

model = nn.Sequential(
    nn.Linear(64, 128), nn.LeakyReLU(0.1), nn.Dropout(0.3),
    nn.Linear(128, 128), nn.LeakyReLU(0.1), nn.Dropout(0.3),
    nn.Linear(128, 10),
)
opt = torch.optim.Adam(model.parameters(), lr=2e-3)
loader = DataLoader(TensorDataset(x_train, y_train), batch_size=32, shuffle=True, drop_last=True)


def noisy(batch):
    return batch + 0.1 * torch.randn_like(batch)


step = 0
for epoch in range(25):
    for images, labels in loader:
        first = model(noisy(images))
        second = model(noisy(images))
        known = (labels >= 0).float()
        errors = F.cross_entropy(first, labels.clamp(min=0), reduction="none")
        supervised = (errors * known).sum() / known.sum().clamp(min=1)
        agreement = F.mse_loss(first.softmax(1), second.softmax(1))
        ramp = min(1.0, step / 400)
        loss = supervised + 5.0 * ramp * agreement
        opt.zero_grad()
        loss.backward()
        opt.step()
        step += 1
    if epoch % 4 == 0:
        print(f"epoch {epoch:2d}  supervised {supervised.item():.3f}  agreement {agreement.item():.4f}")

model.eval()
with torch.no_grad():
    correct = (model(x_test).argmax(1) == y_test).float().mean()
print(f"test accuracy {correct.item():.3f}")
