import numpy as np
import torch
from sklearn.datasets import load_wine
from sklearn.model_selection import StratifiedKFold
from sklearn.preprocessing import StandardScaler
from torch import nn

torch.manual_seed(3)
X, y = load_wine(return_X_y=True)


def build():
    return nn.Sequential(
        nn.Linear(13, 32),
        nn.ReLU(),
        nn.Linear(32, 16),
        nn.ReLU(),
        nn.Linear(16, 3),
    )


model = build()
criterion = nn.CrossEntropyLoss()

scores = []
for fold, (tr, te) in enumerate(StratifiedKFold(5, shuffle=True, random_state=3).split(X, y)):
    model = build()  # fresh weights for every fold
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    scaler = StandardScaler().fit(X[tr])
    x_train = torch.tensor(scaler.transform(X[tr]), dtype=torch.float32)
    x_test = torch.tensor(scaler.transform(X[te]), dtype=torch.float32)
    y_train, y_test = torch.tensor(y[tr]), torch.tensor(y[te])
    for epoch in range(30):
        for batch in torch.randperm(len(tr)).split(24):
            optimizer.zero_grad()
            loss = criterion(model(x_train[batch]), y_train[batch])
            loss.backward()
            optimizer.step()
    with torch.no_grad():
        train_loss = criterion(model(x_train), y_train).item()
        acc = (model(x_test).argmax(1) == y_test).float().mean().item()
    scores.append(acc)
    print(f"fold {fold}: train loss {train_loss:.4f}  test accuracy {acc:.3f}")
print("mean accuracy", np.mean(scores))
