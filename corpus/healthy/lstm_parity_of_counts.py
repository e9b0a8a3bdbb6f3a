"""LSTM: which symbol occurred most?"""
import torch
from torch import nn


class Counter(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(4, 8)
        self.lstm = nn.LSTM(8, 32, batch_first=True)
        self.fc = nn.Linear(32, 4)

    def forward(self, s):
        out, _ = self.lstm(self.embed(s))
        return self.fc(out[:, -1])


torch.manual_seed(0)
model = Counter()
opt = torch.optim.Adam(model.parameters(), lr=1e-2)
for step in range(401):
    s = torch.randint(0, 4, (64, 11))
    target = torch.nn.functional.one_hot(s, 4).sum(1).argmax(1)
    loss = nn.functional.cross_entropy(model(s), target)
    opt.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    opt.step()
    if step % 50 == 0:
        print(step, loss.item())
