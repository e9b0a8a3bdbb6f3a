import torch
from torch import nn

torch.manual_seed(0)

VOCAB, LENGTH, DIM, DEPTH = 12, 8, 32, 12


class Sorter(nn.Module):
    def __init__(self):
        super().__init__()
        self.tok = nn.Embedding(VOCAB, DIM)
        self.pos = nn.Parameter(0.5 * torch.randn(LENGTH, DIM))
        layer = nn.TransformerEncoderLayer(DIM, nhead=4, dim_feedforward=64, dropout=0.0, batch_first=True, norm_first=True)
        self.encoder = nn.TransformerEncoder(layer, DEPTH, enable_nested_tensor=False)
        for p in self.encoder.parameters():
            if p.dim() > 1:
                nn.init.xavier_uniform_(p)
        self.norm = nn.LayerNorm(DIM)
        self.head = nn.Linear(DIM, VOCAB)

    def forward(self, s):
        return self.head(self.norm(self.encoder(self.tok(s) + self.pos)))


model = Sorter()
opt = torch.optim.Adam(model.parameters(), lr=5e-3, betas=(0.9, 0.98))
mean_loss = mean_acc = 0.0
for step in range(1, 141):
    s = torch.randint(0, VOCAB, (32, LENGTH))
    target = s.sort(dim=1).values
    logits = model(s)
    loss = nn.functional.cross_entropy(logits.flatten(0, 1), target.flatten())
    opt.zero_grad()
    loss.backward()
    opt.step()
    mean_loss += loss.item() / 20
    mean_acc += (logits.argmax(-1) == target).float().mean().item() / 20
    if step % 20 == 0:
        print(f"{step:4d} loss {mean_loss:.3f} token accuracy {mean_acc:.3f}")
        mean_loss = mean_acc = 0.0
