import torch
from torch import nn

torch.manual_seed(5)
SYMBOLS, DELAY, HIDDEN = 8, 30, 64


class Memory(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(SYMBOLS + 4, 16)
        self.lstm = nn.LSTM(16, HIDDEN, batch_first=True)
        self.readout = nn.Linear(HIDDEN, SYMBOLS)
        self.reset_gates()

    def reset_gates(self):
        for name, p in self.lstm.named_parameters():
            if "bias" in name:
                nn.init.zeros_(p)
                p.data[HIDDEN:2 * HIDDEN].fill_(-3.0)
            elif "weight_hh" in name:
                nn.init.orthogonal_(p)

    def forward(self, tokens):
        out, _ = self.lstm(self.embed(tokens))
        return self.readout(out[:, -1])


def sample(n):
    opening = torch.randint(0, SYMBOLS, (n, 1))
    filler = torch.randint(SYMBOLS, SYMBOLS + 4, (n, DELAY))
    return torch.cat([opening, filler], 1), opening[:, 0]


net = Memory()
opt = torch.optim.Adam(net.parameters(), lr=3e-3)
for it in range(1, 301):
    tokens, opening = sample(48)
    loss = nn.functional.cross_entropy(net(tokens), opening)
    opt.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(net.parameters(), 1.0)
    opt.step()
    if it % 50 == 0:
        with torch.no_grad():
            tokens, opening = sample(500)
            acc = (net(tokens).argmax(1) == opening).float().mean()
        print(f"iteration {it}: loss {loss.item():.3f}, accuracy {acc.item():.3f}")
