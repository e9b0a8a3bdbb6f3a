import math

import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(0)
VOCAB, LENGTH, BATCH, STEPS = 101, 10, 64, 350


def sequences(n, generator=None):
    start = torch.randint(0, VOCAB, (n, 1), generator=generator)
    stride = torch.randint(1, 13, (n, 1), generator=generator)
    return (start + stride * torch.arange(LENGTH)) % VOCAB


class NextToken(nn.Module):
    def __init__(self, d_model=64, heads=4, layers=2):
        super().__init__()
        self.tok = nn.Embedding(VOCAB, d_model)
        self.pos = nn.Parameter(torch.randn(LENGTH, d_model) * 0.02)
        block = nn.TransformerEncoderLayer(d_model, heads, 128, dropout=0.0, batch_first=True, norm_first=True)
        self.blocks = nn.TransformerEncoder(block, layers, norm=nn.LayerNorm(d_model), enable_nested_tensor=False)
        self.head = nn.Linear(d_model, VOCAB)

    def forward(self, ids):
        t = ids.shape[1]
        mask = nn.Transformer.generate_square_subsequent_mask(t)
        h = self.blocks(self.tok(ids) + self.pos[:t], mask=mask, is_causal=True)
        return F.log_softmax(self.head(h), dim=-1)


model = NextToken()
criterion = nn.NLLLoss()
optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=0.01)
schedule = torch.optim.lr_scheduler.LambdaLR(
    optimizer, lambda s: min(1.0, (s + 1) / 40) * (0.5 + 0.5 * math.cos(math.pi * s / STEPS)))

for step in range(STEPS):
    batch = sequences(BATCH)
    out = model(batch[:, :-1])
    loss = criterion(out.reshape(-1, VOCAB), batch[:, 1:].reshape(-1))
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    schedule.step()
    if step % 50 == 0 or step == STEPS - 1:
        print(f"{step:4d}  loss {loss.item():.4f}")

model.eval()
with torch.no_grad():
    test = sequences(500, torch.Generator().manual_seed(99))
    predicted = model(test[:, :-1]).argmax(-1)
    accuracy = (predicted[:, 1:] == test[:, 2:]).float().mean().item()
print(f"next token accuracy after two given tokens: {accuracy:.3f}")
