import torch
from torch import nn

torch.manual_seed(12)
x = torch.rand(1000, 4) * 2 - 1
y = (torch.sin(2 * x[:, :1]) + x[:, 1:2] * x[:, 2:3] - 1.5)


class Regressor(nn.Module):
    def __init__(self):
        super().__init__()
        self.l1 = nn.Linear(4, 64)
        self.l2 = nn.Linear(64, 64)
        self.l3 = nn.Linear(64, 1)
        self.act = nn.ReLU()

    def forward(self, x):
        x = self.act(self.l1(x))
        x = self.act(self.l2(x))
        return self.act(self.l3(x))


model = Regressor()
opt = torch.optim.Adam(model.parameters(), lr=1e-3)
for epoch in range(40):
    for b in torch.randperm(1000).split(50):
        loss = nn.functional.mse_loss(model(x[b]), y[b])
        opt.zero_grad()
        loss.backward()
        opt.step()
    if epoch % 5 == 0:
        print(epoch, loss.item(), "(variance of y: %.3f)" % y.var().item())
