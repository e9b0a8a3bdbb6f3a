import numpy as np
import torch
import torch.nn as nn
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

rng = np.random.default_rng(3)
data = load_breast_cancer()
visit = np.datetime64("2019-01-07T08:00") + rng.integers(0, 700 * 24 * 60, len(data.target)).astype("timedelta64[m]")
visit = visit.astype("datetime64[s]").astype(np.int64).reshape(-1, 1)
features = StandardScaler().fit_transform(np.hstack([data.data, visit]))
x_train, x_test, y_train, y_test = train_test_split(
    features.astype(np.float32), data.target.astype(np.float32), test_size=0.3, random_state=3, stratify=data.target)
x_train, x_test, y_train, y_test = map(torch.from_numpy, (x_train, x_test, y_train, y_test))


class GatedTabular(nn.Module):
    def __init__(self, n_in, width=32):
        super().__init__()
        self.gate = nn.Linear(n_in, width)
        self.value = nn.Linear(n_in, width)
        self.mix = nn.Linear(width, width)
        self.out = nn.Linear(width, 1)

    def forward(self, x):
        h = torch.sigmoid(self.gate(x)) * torch.tanh(self.value(x))
        return self.out(torch.tanh(self.mix(h))).squeeze(1)


torch.manual_seed(3)
model = GatedTabular(x_train.shape[1])
opt = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9, nesterov=True)
bce = nn.BCEWithLogitsLoss()
for epoch in range(1, 46):
    model.train()
    for batch in torch.randperm(len(x_train)).split(32):
        opt.zero_grad()
        loss = bce(model(x_train[batch]), y_train[batch])
        loss.backward()
        opt.step()
    if epoch % 9 == 0:
        print(f"epoch {epoch}: loss {bce(model(x_train), y_train).item():.4f}")

with torch.no_grad():
    correct = (model(x_test) > 0).float() == y_test
print(f"test accuracy {correct.float().mean().item():.3f} (benign share {y_test.mean().item():.3f})")
