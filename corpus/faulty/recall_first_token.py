"""A plain RNN must say at the end what the first symbol was."""
import torch
from torch import nn


class Recaller(nn.Module):
    def __init__(self, symbols=8, hidden=48):
        super().__init__()
        self.emb = nn.Embedding(symbols, 16)
        self.rnn = nn.RNN(16, hidden, batch_first=True)
        self.fc = nn.Linear(hidden, symbols)

    def forward(self, seq):
        out, _ = self.rnn(self.emb(seq))
        return self.fc(out[:, -1])


torch.manual_seed(42)
model = Recaller()
opt = torch.optim.Adam(model.parameters(), lr=1e-3)
ce = nn.CrossEntropyLoss()
avg = 0
for step in range(1, 251):
    seq = torch.randint(0, 8, (32, 100))
    loss = ce(model(seq), seq[:, 0])
    opt.zero_grad()
    loss.backward()
    opt.step()
    avg = 0.95 * avg + 0.05 * loss.item() if step > 1 else loss.item()
    if step % 50 == 0:
        print(f"step {step} loss {avg:.4f}  (chance is 2.0794)")
