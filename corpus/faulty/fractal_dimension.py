import torch
import torch.nn.functional as F
from sklearn.datasets import load_breast_cancer
from torch import nn

torch.manual_seed(11)
table = load_breast_cancer()
cols = list(table.feature_names)
goal = cols.index("mean fractal dimension")
keep = [i for i, c in enumerate(cols) if "fractal" not in c]

feats = torch.tensor(table.data[:, keep], dtype=torch.float32)
feats = (feats - feats.mean(0)) / feats.std(0)
goal = torch.tensor(table.data[:, goal], dtype=torch.float32)
goal = (goal - goal.mean()) / goal.std()

perm = torch.randperm(len(feats))
tr, te = perm[:430], perm[430:]

model = nn.Sequential(nn.Linear(feats.shape[1], 40), nn.ReLU(), nn.Linear(40, 20), nn.ReLU(), nn.Linear(20, 1))
opt = torch.optim.Adam(model.parameters(), lr=2e-3)
losses = []
for epoch in range(40):
    for b in tr[torch.randperm(len(tr))].split(43):
        pred = model(feats[b])
        loss = F.mse_loss(pred, goal[b])
        opt.zero_grad()
        loss.backward()
        opt.step()
        losses.append(loss.item())
    if (epoch + 1) % 8 == 0:
        print(epoch + 1, sum(losses[-10:]) / 10)

with torch.no_grad():
    out = model(feats[te]).flatten()
    print("held out: spread of predictions", out.std().item(), "correlation", torch.corrcoef(torch.stack([out, goal[te]]))[0, 1].item())
    print("held out R2", (1 - (out - goal[te]).pow(2).mean() / goal[te].var()).item())
