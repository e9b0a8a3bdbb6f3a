"""Read digits pixel by pixel with a layer of coupled pendulums."""
import torch
from sklearn.datasets import load_digits
from torch import nn

digits = load_digits()
images = torch.tensor(digits.data, dtype=torch.float32) / 16
sequence = images.unsqueeze(-1).repeat_interleave(2, dim=1)
labels = torch.tensor(digits.target)
perm = torch.randperm(len(labels), generator=torch.Generator().manual_seed(0))
train, test = perm[:1300], perm[1300:]


class Pendulums(nn.Module):
    def __init__(self, n_in, n, dt=0.15):
        super().__init__()
        self.drive = nn.Linear(n_in, n)
        self.couple = nn.Linear(2 * n, n, bias=False)
        self.stiffness = nn.Parameter(torch.empty(n).uniform_(0.5, 12.0), requires_grad=False)
        self.dt, self.n = dt, n

    def forward(self, x):
        place = x.new_zeros(x.shape[0], self.n)
        speed = x.new_zeros(x.shape[0], self.n)
        for push in self.drive(x).unbind(1):
            force = torch.tanh(push + self.couple(torch.cat([place, speed], 1)))
            kick = speed + self.dt * (force - self.stiffness * place)
            place = place + self.dt * speed
            speed = kick
        return torch.cat([place, speed], 1)


class Reader(nn.Module):
    def __init__(self, n=48):
        super().__init__()
        self.rnn = Pendulums(1, n)
        self.head = nn.Linear(2 * n, 10)

    def forward(self, x):
        return self.head(self.rnn(x))


torch.manual_seed(0)
reader = Reader()
optimizer = torch.optim.Adam(reader.parameters(), lr=8e-3)
scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=170)
for step in range(1, 171):
    pick = train[torch.randint(0, len(train), (64,))]
    loss = nn.functional.cross_entropy(reader(sequence[pick]), labels[pick])
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(reader.parameters(), 5.0)
    optimizer.step()
    scheduler.step()
    if step % 40 == 0:
        print(f"step {step} loss {loss.item():.4f}")
with torch.no_grad():
    score = (reader(sequence[test]).argmax(1) == labels[test]).float().mean().item()
print(f"held-out accuracy {score:.3f}")
