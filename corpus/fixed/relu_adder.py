import torch
import torch.nn as nn
import torch.optim as optim

torch.manual_seed(0)
T = 40


def adding(n):
    v = torch.rand(n, T)
    m = torch.zeros(n, T)
    i = torch.randint(0, T // 2, (n, 1))
    j = torch.randint(T // 2, T, (n, 1))
    m.scatter_(1, i, 1.0)
    m.scatter_(1, j, 1.0)
    return torch.stack((v, m), 2), (v * m).sum(1, keepdim=True)


class Adder(nn.Module):
    def __init__(self, hidden=64):
        super(Adder, self).__init__()
        self.rnn = nn.RNN(2, hidden, nonlinearity="relu", batch_first=True)
        self.fc = nn.Linear(hidden, 1)
        self.reset()

    def reset(self):
        for name, p in self.rnn.named_parameters():
            if "weight_hh" in name:
                p.data = torch.eye(p.size(0)) + 0.001 * torch.randn_like(p)
            elif "weight_ih" in name:
                nn.init.normal_(p, std=0.05)
            else:
                nn.init.zeros_(p)

    def forward(self, x):
        out, _ = self.rnn(x)
        return self.fc(out[:, -1])


net = Adder()
criterion = nn.MSELoss()
optimizer = optim.Adam(net.parameters(), lr=1e-3)
for it in range(1200):
    x, y = adding(32)
    optimizer.zero_grad()
    loss = criterion(net(x), y)
    loss.backward()
    nn.utils.clip_grad_norm_(net.parameters(), 1.0)
    optimizer.step()
    if it % 200 == 0:
        print("iter", it, "loss", loss.item())

with torch.no_grad():
    x, y = adding(1000)
    print("test mse", criterion(net(x), y).item(), "baseline", y.var().item())
