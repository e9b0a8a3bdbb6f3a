import numpy as np
import torch
from sklearn.datasets import make_classification
from sklearn.metrics import balanced_accuracy_score
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(20)
X, y = make_classification(5000, 20, n_informative=8, n_redundant=4, weights=[0.97], class_sep=1.6, flip_y=0.0, random_state=20)
X, y = X.astype(np.float32), y.astype(np.float32)
cut = 4000
print("positives in training:", int(y[:cut].sum()), "of", cut)
ds = TensorDataset(torch.from_numpy(X[:cut]), torch.from_numpy(y[:cut]))

model = torch.nn.Sequential(torch.nn.Linear(20, 32), torch.nn.LeakyReLU(), torch.nn.Linear(32, 16), torch.nn.LeakyReLU(), torch.nn.Linear(16, 1))
pos_weight = torch.tensor((y[:cut] == 0).sum() / (y[:cut] == 1).sum())
criterion = torch.nn.BCEWithLogitsLoss(pos_weight=pos_weight)
opt = torch.optim.Adam(model.parameters(), lr=1e-3)

for epoch in range(10):
    losses = []
    for xb, yb in DataLoader(ds, batch_size=64, shuffle=True):
        opt.zero_grad()
        loss = criterion(model(xb).squeeze(1), yb)
        loss.backward()
        opt.step()
        losses.append(loss.item())
    with torch.no_grad():
        guess = (model(torch.from_numpy(X[cut:])).squeeze(1) > 0).numpy()
    print(epoch, "loss %.3f (max %.2f)" % (np.mean(losses), np.max(losses)), "balanced accuracy %.3f" % balanced_accuracy_score(y[cut:], guess))
