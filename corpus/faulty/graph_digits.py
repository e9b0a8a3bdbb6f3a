import numpy as np
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.neighbors import kneighbors_graph
from torch import nn

np.random.seed(0)
torch.manual_seed(0)

features, labels = load_digits(return_X_y=True)
features = features / 16.0
links = kneighbors_graph(features, 8, mode="connectivity")
links = links.maximum(links.T).tocoo()
n = len(labels)
rows = np.concatenate([links.row, np.arange(n)])
cols = np.concatenate([links.col, np.arange(n)])
degree = np.bincount(rows, minlength=n)
values = 1.0 / np.sqrt(degree[rows] * degree[cols])
adj = torch.sparse_coo_tensor(np.stack([rows, cols]), values.astype("float32"), (n, n)).coalesce()
x = torch.tensor(features, dtype=torch.float32)
x = x - x.mean(0)
y = torch.tensor(labels)


class GraphConv(nn.Module):
    def __init__(self, n_in, n_out):
        super().__init__()
        self.lin = nn.Linear(n_in, n_out)

    def forward(self, adj, h):
        return torch.sparse.mm(adj, self.lin(h))


class GCN(nn.Module):
    def __init__(self, n_in, hidden, n_out):
        super().__init__()
        self.first = GraphConv(n_in, hidden)
        self.second = GraphConv(hidden, n_out)

    def forward(self, adj, h):
        h = F.relu(self.first(adj, h))
        return self.second(adj, F.dropout(h, 0.3, self.training))


perm = torch.randperm(n)
train_nodes, test_nodes = perm[:60], perm[60:]
model = GCN(64, 32, 10)
optimizer = torch.optim.SGD(model.parameters(), lr=0.5)

for epoch in range(300):
    model.train()
    optimizer.zero_grad()
    logits = model(adj, x)
    loss = F.cross_entropy(logits[train_nodes], y[train_nodes], reduction="sum") / n
    loss.backward()
    optimizer.step()
    if epoch % 30 == 0:
        print(f"epoch {epoch:3d}  loss {loss.item():.4f}")

model.eval()
with torch.no_grad():
    accuracy = (model(adj, x).argmax(1)[test_nodes] == y[test_nodes]).float().mean().item()
print(f"accuracy on unlabelled nodes: {accuracy:.3f}")
