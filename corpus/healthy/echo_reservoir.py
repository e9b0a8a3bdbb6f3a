import torch
from torch import nn


class Reservoir(nn.Module):
    def __init__(self, n_in, size=400, radius=1.1, drive=1.5):
        super().__init__()
        w = torch.randn(size, size) * (torch.rand(size, size) < 0.1)
        w *= radius / torch.linalg.eigvals(w).abs().max()
        self.w = nn.Parameter(w, requires_grad=False)
        self.w_in = nn.Parameter(drive * (2 * torch.rand(size, n_in) - 1), requires_grad=False)
        self.offset = nn.Parameter(2 * torch.rand(size) - 1, requires_grad=False)
        self.readout = nn.Linear(size + n_in, 1)

    def states(self, u):
        h = torch.zeros(self.w.size(0))
        out = []
        for u_t in u:
            h = torch.tanh(self.w @ h + self.w_in @ u_t + self.offset)
            out.append(torch.cat((h, u_t)))
        return torch.stack(out)

    def forward(self, s):
        return self.readout(s).squeeze(-1)


torch.manual_seed(2)
steps = 4000
u = 2 * torch.rand(steps, 1) - 1
target = torch.zeros(steps)
for t in range(3, steps):
    target[t] = 0.3 * target[t - 1] + u[t - 1, 0] * u[t - 2, 0] + 0.5 * torch.sin(2 * u[t - 3, 0])

esn = Reservoir(1)
with torch.no_grad():
    s = esn.states(u)
s_fit, y_fit, s_new, y_new = s[100:3200], target[100:3200], s[3200:], target[3200:]
opt = torch.optim.Adam(esn.parameters(), lr=4e-3)
for epoch in range(100):
    acc = 0.0
    for idx in torch.randperm(len(s_fit)).split(100):
        loss = (esn(s_fit[idx]) - y_fit[idx]).pow(2).mean()
        opt.zero_grad()
        loss.backward()
        opt.step()
        acc += loss.item()
    if epoch % 20 == 19:
        print(f"epoch {epoch + 1}: mse {acc / 31:.5f}")
with torch.no_grad():
    err = (esn(s_new) - y_new).pow(2).mean()
    print("unseen steps: nmse", (err / y_new.var()).item())
