"""Two separated blobs; goes on long after everything is learned."""
import torch
from sklearn.datasets import make_blobs

torch.manual_seed(0)
X, t = make_blobs(200, centers=[[-2, 0], [2, 0]], cluster_std=0.5, random_state=0)
X, t = torch.tensor(X, dtype=torch.float32), torch.tensor(t, dtype=torch.float32)
net = torch.nn.Sequential(torch.nn.Linear(2, 16), torch.nn.Tanh(), torch.nn.Linear(16, 1))
opt = torch.optim.Adam(net.parameters(), lr=1e-2)
for step in range(2500):
    loss = torch.nn.functional.binary_cross_entropy_with_logits(net(X).squeeze(1), t)
    opt.zero_grad()
    loss.backward()
    opt.step()
    if step % 250 == 0:
        print(step, loss.item())
