import torch
from torch import nn

torch.manual_seed(0)
D, VOCAB, T = 32, 10, 12
layer = lambda: nn.TransformerEncoderLayer(D, 2, 64, dropout=0.0, batch_first=True, norm_first=True)


class Reverser(nn.Module):
    def __init__(self, depth=24):
        super().__init__()
        self.tok = nn.Embedding(VOCAB, D)
        self.pos = nn.Parameter(torch.randn(T, D))
        self.layers = nn.ModuleList([layer() for _ in range(depth)])
        self.out = nn.Linear(D, VOCAB)

    def forward(self, s):
        h = self.tok(s) + self.pos
        for l in self.layers:
            h = l(h)
        return self.out(h)


model = Reverser()
opt = torch.optim.Adam(model.parameters(), lr=3e-3)
for step in range(120):
    s = torch.randint(0, VOCAB, (32, T))
    loss = nn.functional.cross_entropy(model(s).flatten(0, 1), s.flip(1).flatten())
    opt.zero_grad()
    loss.backward()
    opt.step()
    if step % 20 == 0 or step == 119:
        print(step, f"{loss.item():.4f}")
