import os
import tempfile

import torch
from torch import nn

torch.manual_seed(19)


def batch(n=64, length=12):
    """A sequence of brackets; the target is the depth after the last one, cut at four."""
    steps = torch.randint(0, 2, (n, length)) * 2 - 1
    depth = torch.zeros(n, dtype=torch.long)
    for t in range(length):
        depth = (depth + steps[:, t]).clamp(0, 4)
    return nn.functional.one_hot((steps + 1) // 2, 2).float(), depth


class Counter(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(2, 48, batch_first=True)
        self.fc = nn.Linear(48, 5)

    def forward(self, s):
        out, _ = self.lstm(s)
        return self.fc(out[:, -1])


def create():
    net = Counter()
    return net, torch.optim.Adam(net.parameters(), lr=5e-3)


def train(net, opt, first, last):
    for step in range(first, last):
        s, t = batch()
        loss = nn.functional.cross_entropy(net(s), t)
        opt.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        opt.step()
        if step % 40 == 0:
            print("step", step, "loss", round(loss.item(), 4))


path = os.path.join(tempfile.mkdtemp(), "checkpoint.pt")
net, opt = create()
train(net, opt, 0, 280)
torch.save({"model": net.state_dict(), "optimizer": opt.state_dict(), "step": 280}, path)
del net, opt

net, opt = create()
state = torch.load(path)
net.load_state_dict(state["model"])
opt.load_state_dict(state["optimizer"])
print("resumed at", state["step"])
train(net, opt, state["step"], 560)
s, t = batch(1000)
print("accuracy", (net(s).argmax(1) == t).float().mean().item())
os.remove(path)
