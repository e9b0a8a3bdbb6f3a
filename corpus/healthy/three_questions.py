"""One trunk, three questions about a digit; each question adds its gradient before the shared step."""
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits

digits = load_digits()
images = torch.tensor(digits.images).float().unsqueeze(1) / 16
labels = torch.tensor(digits.target)
ink = images.mean(dim=(1, 2, 3)).unsqueeze(1)
ink = (ink - ink.mean()) / ink.std()
split = torch.randperm(len(labels), generator=torch.Generator().manual_seed(7))
train, test = split[:1400], split[1400:]


class Trunk(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 12, 3, padding=1)
        self.conv2 = nn.Conv2d(12, 24, 3, padding=1)
        self.fc = nn.Linear(24 * 4, 64)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        return F.relu(self.fc(x.flatten(1)))


torch.manual_seed(0)
trunk = Trunk()
heads = nn.ModuleDict({"which": nn.Linear(64, 10), "even": nn.Linear(64, 1), "ink": nn.Linear(64, 1)})
optimizer = torch.optim.Adam([*trunk.parameters(), *heads.parameters()], lr=3e-3)


def answer(task, idx):
    out = heads[task](trunk(images[idx]))
    if task == "which":
        return F.cross_entropy(out, labels[idx])
    if task == "even":
        return F.binary_cross_entropy_with_logits(out.squeeze(1), (labels[idx] % 2 == 0).float())
    return F.mse_loss(out, ink[idx])


tasks = ("which", "even", "ink")
optimizer.zero_grad()
for i in range(1, 1801):
    task = tasks[i % 3]
    idx = train[torch.randint(0, len(train), (48,))]
    loss = answer(task, idx)
    loss.backward()
    if i % 3 == 0:
        optimizer.step()
        optimizer.zero_grad()
    if i % 180 < 3:
        print(f"{i:4d} {task:5s} {loss.item():.4f}")

with torch.no_grad():
    h = trunk(images[test])
    which = (heads["which"](h).argmax(1) == labels[test]).float().mean().item()
    even = ((heads["even"](h).squeeze(1) > 0) == (labels[test] % 2 == 0)).float().mean().item()
    r2 = 1 - F.mse_loss(heads["ink"](h), ink[test]).item() / ink[test].var().item()
print(f"held-out: digit {which:.3f}, even {even:.3f}, ink R2 {r2:.3f}")
