import math

import torch
import torch.nn as nn

torch.manual_seed(2)


class Forecaster(nn.Module):
    def __init__(self, hidden=32):
        super(Forecaster, self).__init__()
        self.gru = nn.GRU(input_size=1, hidden_size=hidden, batch_first=True)
        self.linear = nn.Linear(hidden, 1)

    def forward(self, seq):
        out, _ = self.gru(seq)
        return self.linear(out[:, -1])


def make_batch(n=32, length=20):
    freq = torch.rand(n, 1) * 0.3 + 0.15
    phase = torch.rand(n, 1) * 2 * math.pi
    t = torch.arange(length + 1).float()
    wave = torch.sin(freq * t + phase)
    return wave[:, :-1, None], wave[:, -1:]


model = Forecaster()
loss_fn = nn.MSELoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

losses = []
for step in range(600):
    x, target = make_batch()
    prediction = model(x)
    loss = loss_fn(prediction, target)
    loss.backward()
    optimizer.step()
    losses.append(loss.item())
    if step % 50 == 0:
        print("Step: {:4d}\tLoss: {:.6f}".format(step, loss.item()))
print("mean of the last 100:", sum(losses[-100:]) / 100)
