from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(6)
wine = load_wine()
keep = wine.target != 0  # only the second and the third grower
X, y = wine.data[keep], wine.target[keep] - 1
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.35, random_state=1, stratify=y)
scaler = StandardScaler().fit(X_train)


def tensors(X, y):
    return torch.tensor(scaler.transform(X), dtype=torch.float32), torch.tensor(y, dtype=torch.float32).unsqueeze(1)


train_ds, test_ds = TensorDataset(*tensors(X_train, y_train)), TensorDataset(*tensors(X_test, y_test))


class FeatureTokens(nn.Module):
    """every measurement is a token, attention between them"""

    def __init__(self, columns, d=16):
        super().__init__()
        self.scale = nn.Parameter(torch.randn(columns, d) * 0.3)
        self.shift = nn.Parameter(torch.randn(columns, d) * 0.3)
        layer = nn.TransformerEncoderLayer(d, 4, 32, dropout=0.1, batch_first=True, norm_first=True)
        self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.out = nn.Linear(d, 1)

    def forward(self, x):
        tokens = x.unsqueeze(-1) * self.scale + self.shift
        return self.out(self.encoder(tokens).mean(1))


model = FeatureTokens(X.shape[1])
criterion = nn.BCEWithLogitsLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
for epoch in range(40):
    model.train()
    for xb, yb in DataLoader(train_ds, batch_size=16, shuffle=True):
        optimizer.zero_grad()
        loss = criterion(model(xb), yb)
        loss.backward()
        optimizer.step()
    if epoch % 5 == 4:
        print("epoch", epoch + 1, "loss", round(loss.item(), 4))

model.eval()
xt, yt = test_ds.tensors
with torch.no_grad():
    guess = (torch.sigmoid(model(xt)) > 0.5).float()
print("accuracy", (guess == yt).float().mean().item())
