import torch
from torch import nn

torch.manual_seed(0)
V, T, D = 12, 10, 32


class PreNorm(nn.Module):
    def __init__(self, depth=4):
        super().__init__()
        self.tok, self.pos = nn.Embedding(V, D), nn.Embedding(T, D)
        enc = nn.TransformerEncoderLayer(D, 4, 64, dropout=0.0, batch_first=True, norm_first=True)
        self.body = nn.TransformerEncoder(enc, depth, norm=nn.LayerNorm(D), enable_nested_tensor=False)
        self.head = nn.Linear(D, V)

    def forward(self, s):
        return self.head(self.body(self.tok(s) + self.pos(torch.arange(T))))


net = PreNorm()
opt = torch.optim.AdamW(net.parameters(), lr=3e-3)
for step in range(251):
    s = torch.randint(0, V, (32, T))
    loss = nn.functional.cross_entropy(net(s).transpose(1, 2), s.flip(1))
    opt.zero_grad()
    loss.backward()
    opt.step()
    if step % 25 == 0:
        print(f"{step:4d} {loss.item():.4f}")
