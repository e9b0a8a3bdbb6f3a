import torch
import torch.nn.functional as F
from sklearn.datasets import load_diabetes
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(21)
frame = load_diabetes()
X = torch.tensor(frame.data * 20, dtype=torch.float32)
y = torch.tensor((frame.target - 150) / 77, dtype=torch.float32)
loader = DataLoader(TensorDataset(X, y), batch_size=64, shuffle=True)
model = torch.nn.Sequential(torch.nn.Linear(10, 64), torch.nn.ReLU(), torch.nn.Linear(64, 1))
opt = torch.optim.Adam(model.parameters(), lr=3e-3)

import warnings

warnings.filterwarnings("ignore")
for epoch in range(60):
    for xb, yb in loader:
        loss = F.mse_loss(model(xb), yb)
        opt.zero_grad()
        loss.backward()
        opt.step()
    if epoch % 10 == 9:
        with torch.no_grad():
            r2 = 1 - ((model(X)[:, 0] - y) ** 2).mean() / y.var()
        print(f"epoch {epoch + 1} loss {loss.item():.4f} R2 {r2.item():.3f}")
