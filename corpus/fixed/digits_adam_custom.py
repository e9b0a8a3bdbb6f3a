import torch
import torch.nn as nn
from sklearn.datasets import load_digits

config = dict(hidden=(128, 64, 64), lr=1e-3, betas=(0.9, 0.999), eps=1e-16, batch=64, steps=400, seed=3)

torch.manual_seed(config["seed"])
data = load_digits()
mean, std = data.data.mean(), data.data.std()
inputs = torch.as_tensor((data.data - mean) / std, dtype=torch.float32)
targets = torch.as_tensor(data.target)
split = 1400

mods, last = [], 64
for h in config["hidden"]:
    mods += [nn.Linear(last, h), nn.ReLU()]
    last = h
mods += [nn.Linear(last, 10)]
net = nn.Sequential(*mods)

optimizer = torch.optim.Adam(net.parameters(), lr=config["lr"], betas=config["betas"], eps=config["eps"])
criterion = nn.CrossEntropyLoss()

for step in range(1, config["steps"] + 1):
    pick = torch.randint(split, (config["batch"],))
    optimizer.zero_grad(set_to_none=True)
    loss = criterion(net(inputs[pick]), targets[pick])
    loss.backward()
    optimizer.step()
    if step == 1 or step % 40 == 0:
        with torch.no_grad():
            acc = (net(inputs[split:]).argmax(1) == targets[split:]).float().mean().item()
        print(f"{step:>4} loss={loss.item():.4f} acc={acc:.4f}")
