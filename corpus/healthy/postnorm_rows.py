"""Two post-norm encoder layers over the rows of an image."""
import torch
from sklearn.datasets import load_digits
from torch import nn


class RowFormer(nn.Module):
    def __init__(self):
        super().__init__()
        self.proj = nn.Linear(8, 32)
        self.pos = nn.Parameter(torch.randn(8, 32) * 0.1)
        self.enc = nn.TransformerEncoder(
            nn.TransformerEncoderLayer(32, 4, 64, dropout=0.1, activation="gelu", batch_first=True), num_layers=2
        )
        self.cls = nn.Linear(32, 10)

    def forward(self, img):
        return self.cls(self.enc(self.proj(img) + self.pos).mean(1))


torch.manual_seed(0)
d = load_digits()
X, Y = torch.tensor(d.images / 16).float(), torch.tensor(d.target)
m = RowFormer()
opt = torch.optim.Adam(m.parameters(), lr=2e-3)
for epoch in range(8):
    m.train()
    for i in torch.randperm(1500).split(64):
        loss = nn.functional.cross_entropy(m(X[i]), Y[i], label_smoothing=0.05)
        opt.zero_grad(); loss.backward(); opt.step()
    m.eval()
    with torch.no_grad():
        print(epoch, round(loss.item(), 4), round((m(X[1500:]).argmax(1) == Y[1500:]).float().mean().item(), 3))
