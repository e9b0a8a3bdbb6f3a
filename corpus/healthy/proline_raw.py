import torch
import torch.nn as nn
from sklearn.datasets import load_wine
from sklearn.preprocessing import StandardScaler

torch.manual_seed(13)
w = load_wine()
proline = torch.tensor(w.data[:, 12]).float()  # mg/l, 278 to 1680
rest = torch.tensor(StandardScaler().fit_transform(w.data[:, :12])).float()
perm = torch.randperm(len(rest))
tr, te = perm[:140], perm[140:]


class Regressor(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.Linear(12, 32)
        self.b = nn.Linear(32, 1)

    def forward(self, x):
        return self.b(torch.relu(self.a(x))).squeeze(-1)


net = Regressor()
opt = torch.optim.Adam(net.parameters(), lr=0.1)
for epoch in range(150):
    for i in tr[torch.randperm(140)].split(35):
        opt.zero_grad()
        loss = nn.functional.mse_loss(net(rest[i]), proline[i])
        loss.backward()
        opt.step()
    if epoch % 10 == 0:
        print(f"epoch {epoch} mse {loss.item():.1f}")
with torch.no_grad():
    for name, s in (("train", tr), ("test", te)):
        print(name, "R2", 1 - (((net(rest[s]) - proline[s]) ** 2).mean() / proline[s].var(unbiased=False)).item())
