import torch
from torch import nn
from sklearn.datasets import make_circles

SEED = 5
torch.manual_seed(SEED)

data, target = make_circles(n_samples=1000, noise=0.08, factor=0.5, random_state=SEED)
data = torch.tensor(data, dtype=torch.float32)
target = torch.tensor(target, dtype=torch.float32)

blocks = []
n_in = 2
for _ in range(15):
    lin = nn.Linear(n_in, 5)
    nn.init.kaiming_uniform_(lin.weight, nonlinearity="relu")
    nn.init.zeros_(lin.bias)
    blocks += [lin, nn.ReLU()]
    n_in = 5
blocks.append(nn.Linear(n_in, 1))
model = nn.Sequential(*blocks)

loss_fn = nn.BCEWithLogitsLoss()
opt = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)

for epoch in range(40):
    order = torch.randperm(800)
    for k in range(0, 800, 32):
        b = order[k:k + 32]
        opt.zero_grad()
        loss = loss_fn(model(data[b]).squeeze(-1), target[b])
        loss.backward()
        opt.step()
    if (epoch + 1) % 5 == 0:
        model.eval()
        with torch.no_grad():
            z = model(data[800:]).squeeze(-1)
            val = loss_fn(z, target[800:])
            acc = ((z > 0).float() == target[800:]).float().mean()
        model.train()
        print(epoch + 1, "val_loss", round(val.item(), 4), "val_acc", round(acc.item(), 4))
