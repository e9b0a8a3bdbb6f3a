import torch
from torch import nn

torch.manual_seed(0)
gru = nn.GRU(2, 32, batch_first=True)
readout = nn.Linear(32, 1)
opt = torch.optim.Adam(list(gru.parameters()) + list(readout.parameters()), lr=1e-2)
for it in range(1, 501):
    values = torch.rand(64, 12, 1)
    marks = torch.zeros(64, 12, 1)
    a, b = torch.randint(0, 6, (64,)), torch.randint(6, 12, (64,))
    marks[torch.arange(64), a] = 1
    marks[torch.arange(64), b] = 1
    target = (values * marks).sum(1)
    _, h = gru(torch.cat([values, marks], 2))
    loss = nn.functional.mse_loss(readout(h[-1]), target)
    opt.zero_grad()
    loss.backward()
    opt.step()
    if it % 50 == 0:
        print("it", it, "mse", loss.item(), "(constant guess: 0.167)")
