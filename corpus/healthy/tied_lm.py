import torch
import torch.nn as nn
from pydoc_data.topics import topics

torch.manual_seed(0)
text = topics["compound"][:20000]
chars = sorted(set(text))
data = torch.tensor([chars.index(c) for c in text])


class TiedGRU(nn.Module):
    def __init__(self, v, d=64):
        super().__init__()
        self.emb = nn.Embedding(v, d)
        self.gru = nn.GRU(d, d, batch_first=True)
        self.dec = nn.Linear(d, v)
        self.dec.weight = self.emb.weight
        nn.init.normal_(self.emb.weight, std=0.1)

    def forward(self, x, h=None):
        o, h = self.gru(self.emb(x), h)
        return self.dec(o), h


model = TiedGRU(len(chars))
opt = torch.optim.Adam(model.parameters(), lr=5e-3)
B, T = 16, 32
stream = data[: len(data) // B * B].view(B, -1)
step = 0
for epoch in range(6):
    h = None
    for t in range(0, stream.shape[1] - T - 1, T):
        out, h = model(stream[:, t : t + T], h)
        h = h.detach()
        loss = nn.functional.cross_entropy(out.reshape(-1, len(chars)), stream[:, t + 1 : t + T + 1].reshape(-1))
        opt.zero_grad()
        loss.backward()
        nn.utils.clip_grad_value_(model.parameters(), 1.0)
        opt.step()
        step += 1
    print("epoch", epoch, "step", step, "loss", loss.item())
