import torch

torch.manual_seed(7)
H = 64
Wx = torch.nn.Parameter(torch.rand(1, H) * 0.1)
Wh = torch.nn.Parameter(torch.eye(H))
bh = torch.nn.Parameter(torch.zeros(H))
Wo = torch.nn.Parameter(torch.randn(H, 1) * 0.1)
params = [Wx, Wh, bh, Wo]
optim = torch.optim.Adam(params, lr=1e-3)

for it in range(240):
    x = torch.rand(32, 60, 1)
    target = x.sum(1) / 60
    h = torch.zeros(32, H)
    for t in range(60):
        h = torch.relu(x[:, t] @ Wx + h @ Wh + bh)
    pred = h @ Wo
    loss = ((pred - target) ** 2).mean()
    optim.zero_grad()
    loss.backward()
    optim.step()
    if it % 10 == 0:
        print(it, loss.item())
