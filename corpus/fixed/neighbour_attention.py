import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits

torch.manual_seed(15)
d = load_digits(n_class=6)
N = 400
feat = torch.tensor(d.data[:N] / 16, dtype=torch.float32)
label = torch.tensor(d.target[:N])
dist = torch.cdist(feat, feat)
adj = dist < 1.6
train_mask = torch.zeros(N, dtype=torch.bool)
train_mask[:120] = True


class GraphAttention(nn.Module):
    def __init__(self, n_in, n_out):
        super().__init__()
        self.lin = nn.Linear(n_in, n_out, bias=False)
        self.src = nn.Linear(n_out, 1, bias=False)
        self.dst = nn.Linear(n_out, 1, bias=False)

    def forward(self, h, adj):
        z = self.lin(h)
        e = F.leaky_relu(self.src(z) + self.dst(z).T, 0.2)
        e = e.masked_fill(~adj, float("-inf"))
        alpha = torch.softmax(e, dim=1)
        return alpha @ z


class GAT(nn.Module):
    def __init__(self):
        super().__init__()
        self.att1 = GraphAttention(64, 32)
        self.att2 = GraphAttention(32, 6)

    def forward(self, h, adj):
        return self.att2(F.elu(self.att1(h, adj)), adj)


model = GAT()
optimizer = torch.optim.Adam(model.parameters(), lr=0.01, weight_decay=5e-4)
print("edges", int(adj.sum()))
for epoch in range(1, 151):
    model.train()
    out = model(feat, adj)
    loss = F.cross_entropy(out[train_mask], label[train_mask])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if epoch % 15 == 0:
        hit = (out.argmax(1) == label)[~train_mask].float().mean().item()
        print(f"epoch {epoch:03d}, loss {loss.item():.4f}, test acc {hit:.4f}")
