import copy
import math

import torch
import torch.nn.functional as F
from torch import nn

CLASSES = 6


def tones(n):
    label = torch.randint(0, CLASSES, (n,))
    t = torch.arange(96.0)
    base = 0.08 + 0.06 * (label % 3).float().unsqueeze(1) + 0.006 * torch.randn(n, 1)
    phase = 2 * math.pi * torch.rand(n, 1)
    wave = torch.sin(base * 2 * math.pi / 1.5 * t + phase)
    wave = torch.where(label.unsqueeze(1) >= 3, wave.sign(), wave)
    wave = (0.5 + torch.rand(n, 1)) * wave + 0.15 * torch.randn(n, 96)
    return wave.unsqueeze(1), label


def block(a, b):
    return [nn.Conv1d(a, b, 5, stride=2, padding=2, bias=False), nn.BatchNorm1d(b), nn.ReLU()]


def build():
    return nn.Sequential(*block(1, 16), *block(16, 32), *block(32, 32), nn.AdaptiveAvgPool1d(1), nn.Flatten(),
                         nn.Linear(32, CLASSES))


@torch.no_grad()
def follow(teacher, student, decay):
    for slow, fast in zip(teacher.parameters(), student.parameters()):
        slow.mul_(decay).add_(fast, alpha=1 - decay)


torch.manual_seed(0)
few_x, few_y = tones(180)
pool, _ = tones(1500)
test_x, test_y = tones(600)
student = build()
teacher = copy.deepcopy(student).eval().requires_grad_(False)
opt = torch.optim.Adam(student.parameters(), lr=3e-3)
for step in range(400):
    pick = torch.randint(0, len(few_x), (32,))
    wild = pool[torch.randint(0, len(pool), (64,))]
    noisy = wild * (0.9 + 0.2 * torch.rand(64, 1, 1)) + 0.1 * torch.randn_like(wild)
    logits = student(torch.cat([few_x[pick], noisy]))
    target = teacher(wild).softmax(1)
    supervised = F.cross_entropy(logits[:32], few_y[pick])
    consistency = F.mse_loss(logits[32:].softmax(1), target)
    ramp = min(1.0, step / 200)
    loss = supervised + 10 * ramp * consistency
    opt.zero_grad()
    loss.backward()
    opt.step()
    follow(teacher, student, 0.97)
    if step % 50 == 0:
        print(f"step {step:3d}  supervised {supervised.item():.3f}  consistency {consistency.item():.4f}")
student.eval()
with torch.no_grad():
    for name, net in (("student", student), ("teacher", teacher)):
        print(f"held-out accuracy of the {name} {(net(test_x).argmax(1) == test_y).float().mean().item():.3f}")
