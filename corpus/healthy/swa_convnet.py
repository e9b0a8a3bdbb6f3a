import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.optim.swa_utils import SWALR, AveragedModel, update_bn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(31)
d = load_digits()
x = torch.tensor(d.images / 16, dtype=torch.float32)[:, None]
y = torch.tensor(d.target)
train = DataLoader(TensorDataset(x[:1500], y[:1500]), batch_size=50, shuffle=True)


def conv(i, o, stride):
    return nn.Sequential(nn.Conv2d(i, o, 3, stride, 1, bias=False), nn.BatchNorm2d(o), nn.ReLU(inplace=True))


model = nn.Sequential(conv(1, 16, 1), conv(16, 32, 2), conv(32, 32, 2), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(32, 10))
averaged = AveragedModel(model)
optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
swa_scheduler = SWALR(optimizer, swa_lr=1e-3, anneal_epochs=2)

for epoch in range(10):
    model.train()
    for xb, yb in train:
        loss = nn.functional.cross_entropy(model(xb), yb)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    if epoch >= 5:
        averaged.update_parameters(model)
        swa_scheduler.step()
    print("epoch", epoch, "loss", f"{loss.item():.4f}", "lr", optimizer.param_groups[0]["lr"])

update_bn(train, averaged)
averaged.eval()
model.eval()
with torch.no_grad():
    for name, net in (("last", model), ("averaged", averaged)):
        print(name, (net(x[1500:]).argmax(1) == y[1500:]).float().mean().item())
