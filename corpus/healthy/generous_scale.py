"""Mixed precision with a scale that first has to find its way down."""
import torch
from sklearn.datasets import load_breast_cancer
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
raw, label = load_breast_cancer(return_X_y=True)
order = torch.randperm(len(raw))
features = torch.tensor(StandardScaler().fit(raw[order[:420].numpy()]).transform(raw)).float()[order]
label = torch.tensor(label).float()[order]
loader = DataLoader(TensorDataset(features[:420], label[:420]), batch_size=28, shuffle=True, drop_last=True)

net = nn.Sequential(nn.Linear(30, 48), nn.GELU(), nn.Linear(48, 48), nn.GELU(), nn.Linear(48, 1), nn.Flatten(0))
opt = torch.optim.AdamW(net.parameters(), lr=1e-3, weight_decay=0.05)
scaler = torch.amp.GradScaler("cpu", init_scale=2.0**30, growth_interval=60)
criterion = nn.BCEWithLogitsLoss()
skipped = 0
for epoch in range(20):
    for x, y in loader:
        with torch.autocast("cpu", dtype=torch.float16):
            out = net(x)
        loss = criterion(out.float(), y)
        opt.zero_grad()
        scaler.scale(loss).backward()
        scaler.unscale_(opt)
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        before = scaler.get_scale()
        scaler.step(opt)
        scaler.update()
        skipped += scaler.get_scale() < before
    if epoch % 4 == 0:
        print(f"epoch {epoch} loss {loss.item():.4f} scale {scaler.get_scale():.0f} skipped {skipped}")
net.eval()
with torch.no_grad():
    guess = (net(features[420:]) > 0).float()
print(f"accuracy {(guess == label[420:]).float().mean().item():.3f}")
