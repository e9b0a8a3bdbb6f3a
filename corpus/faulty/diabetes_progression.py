import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
from sklearn.datasets import load_diabetes
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

torch.manual_seed(3)
data, target = load_diabetes(return_X_y=True)
target = (target - target.mean()) / target.std()
Xtr, Xte, ytr, yte = train_test_split(data, target, random_state=3)
sc = StandardScaler().fit(Xtr)
Xtr, Xte = (torch.tensor(sc.transform(a), dtype=torch.float32) for a in (Xtr, Xte))
ytr, yte = (torch.tensor(a, dtype=torch.float32).unsqueeze(1) for a in (ytr, yte))


class Net(nn.Module):
    def __init__(self, n_in):
        super().__init__()
        self.hidden = nn.Linear(n_in, 32)
        self.out = nn.Linear(32, 1)

    def forward(self, x):
        return self.out(torch.relu(self.hidden(x)))


net = Net(Xtr.shape[1])
loader = DataLoader(TensorDataset(Xtr, ytr), batch_size=32, shuffle=True)
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)

for epoch in range(30):
    net.train()
    total = 0.0
    for xb, yb in loader:
        optimizer.zero_grad()
        loss = criterion(net(xb), yb)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(xb)
    if epoch % 5 == 4:
        net.eval()
        with torch.no_grad():
            mae = (net(Xte) - yte).abs().mean().item()
        print(f"epoch {epoch + 1:2d} train {total / len(Xtr):.4f} test MAE {mae:.3f}")

with torch.no_grad():
    print("test R2", 1 - ((net(Xte) - yte) ** 2).sum().item() / ((yte - yte.mean()) ** 2).sum().item())
