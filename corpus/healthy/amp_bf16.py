import torch
from sklearn.datasets import load_digits
from torch import nn

torch.manual_seed(0)
d = load_digits()
X, y = torch.tensor(d.images / 16).float().unsqueeze(1), torch.tensor(d.target)
model = nn.Sequential(nn.Flatten(), nn.Linear(64, 256), nn.SiLU(), nn.Linear(256, 256), nn.SiLU(), nn.Linear(256, 10))
opt = torch.optim.AdamW(model.parameters(), lr=1e-3)
for epoch in range(10):
    for i in torch.randperm(1500).split(64):
        opt.zero_grad(set_to_none=True)
        with torch.autocast(device_type="cpu", dtype=torch.bfloat16):
            logits = model(X[i])
            loss = nn.functional.cross_entropy(logits, y[i])
        loss.backward()
        opt.step()
    print(f"epoch {epoch} loss {loss.item():.4f}")
