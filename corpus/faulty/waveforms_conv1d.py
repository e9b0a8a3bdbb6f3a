import math

import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(1)
SCALE = 2.0 ** 13


def waves(n, length=96):
    t = torch.linspace(0, 1, length)
    kind = torch.randint(0, 4, (n,))
    phase = (3 + 4 * torch.rand(n, 1)) * t + torch.rand(n, 1)
    sine = torch.sin(2 * math.pi * phase)
    shapes = torch.stack([sine, sine.sign(), 2 * (phase % 1) - 1, 1 - 2 * (phase % 1)], 1)
    return shapes[torch.arange(n), kind].unsqueeze(1) + 0.2 * torch.randn(n, 1, length), kind


class WaveNetlet(nn.Module):
    def __init__(self):
        super().__init__()
        self.c1 = nn.Conv1d(1, 16, 7, stride=2)
        self.c2 = nn.Conv1d(16, 32, 5, stride=2)
        self.c3 = nn.Conv1d(32, 32, 3)
        self.fc = nn.Linear(32, 4)

    def forward(self, x):
        x = F.relu(self.c1(x))
        x = F.relu(self.c2(x))
        x = F.relu(self.c3(x))
        return self.fc(x.mean(2))


def train_step(model, opt, x, y):
    opt.zero_grad()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        loss = F.cross_entropy(model(x), y)
    (loss * SCALE).backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    for p in model.parameters():
        p.grad.div_(SCALE)
    opt.step()
    return loss.item()


x_train, y_train = waves(3000)
x_test, y_test = waves(600)
model = WaveNetlet()
opt = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, nesterov=True)
for epoch in range(10):
    losses = [train_step(model, opt, x_train[b], y_train[b]) for b in torch.randperm(3000).split(50)]
    print(f"epoch {epoch}: {sum(losses) / len(losses):.4f}")
with torch.no_grad():
    print("accuracy", (model(x_test).argmax(1) == y_test).float().mean().item())
