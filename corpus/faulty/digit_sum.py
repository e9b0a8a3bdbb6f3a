"""Two images, one target: the sum of the digits. A reader names each digit, an adder works on the names."""
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn

torch.manual_seed(0)
bunch = load_digits()
pix = torch.tensor(bunch.data / 16, dtype=torch.float32)
lab = torch.tensor(bunch.target)


class SumOfDigits(nn.Module):
    def __init__(self, symbols=24, width=32):
        super().__init__()
        self.reader = nn.Sequential(nn.Linear(64, 96), nn.ReLU(), nn.Linear(96, symbols))
        self.names = nn.Embedding(symbols, width)
        self.adder = nn.Sequential(nn.Linear(2 * width, 128), nn.ReLU(), nn.Linear(128, 19))

    def name(self, img):
        scores = self.reader(img)
        return self.names(scores.argmax(dim=-1))

    def forward(self, left, right):
        return self.adder(torch.cat([self.name(left), self.name(right)], dim=-1))


net = SumOfDigits()
optim = torch.optim.Adam(net.parameters(), lr=3e-3)
window = []
for it in range(1, 801):
    i, j = torch.randint(0, 1500, (2, 128))
    out = net(pix[i], pix[j])
    loss = F.cross_entropy(out, lab[i] + lab[j])
    optim.zero_grad()
    loss.backward()
    optim.step()
    window.append((out.argmax(1) == lab[i] + lab[j]).float().mean().item())
    if it % 100 == 0:
        print("it", it, "loss", round(loss.item(), 4), "acc", round(sum(window[-50:]) / 50, 4))

g = torch.Generator().manual_seed(1)
i, j = torch.randint(1500, 1797, (2, 1000), generator=g)
with torch.no_grad():
    print("held-out accuracy", (net(pix[i], pix[j]).argmax(1) == lab[i] + lab[j]).float().mean().item())
