"""Read a strip of handwritten digits, column by column."""
import torch
import torch.nn as nn
from sklearn.datasets import load_digits

torch.manual_seed(90)
d = load_digits()
images = torch.tensor(d.images / 16).float()
labels = torch.tensor(d.target)


def strips(n):
    lengths = torch.randint(2, 5, (n,))
    x = torch.zeros(n, 8, 40)
    targets = []
    for r in range(n):
        at = torch.randint(0, 4, ()).item()
        for k in torch.randint(len(images), (int(lengths[r]),)).tolist():
            x[r, :, at:at + 8] = images[k]
            at += 9
            targets.append(labels[k].item() + 1)
    return x, torch.tensor(targets), lengths


class Reader(nn.Module):
    def __init__(self):
        super().__init__()
        self.convs = nn.Sequential(
            nn.Conv1d(8, 64, 5, padding=2), nn.BatchNorm1d(64), nn.ReLU(),
            nn.Conv1d(64, 64, 5, padding=2), nn.BatchNorm1d(64), nn.ReLU(), nn.MaxPool1d(2),
            nn.Conv1d(64, 96, 5, padding=2), nn.BatchNorm1d(96), nn.ReLU(),
        )
        self.head = nn.Conv1d(96, 11, 1)

    def forward(self, x):
        return self.head(self.convs(x)).permute(2, 0, 1).log_softmax(-1)


net = Reader()
ctc = nn.CTCLoss(blank=0)
opt = torch.optim.Adam(net.parameters(), lr=2e-3)
for step in range(320):
    x, t, n = strips(32)
    logp = net(x)
    loss = ctc(logp, t, torch.full((32,), logp.shape[0], dtype=torch.long), n)
    opt.zero_grad()
    loss.backward()
    opt.step()
    if step % 20 == 0:
        print(step, "ctc", round(loss.item(), 4), "blank", round(logp.exp()[..., 0].mean().item(), 3))

net.eval()
x, t, n = strips(300)
with torch.no_grad():
    path = net(x).argmax(-1).T
good = 0
for row, want in zip(path, t.split(n.tolist())):
    read = [k.item() for k in torch.unique_consecutive(row) if k]
    good += read == want.tolist()
print("strips read without a mistake", good / 300)
