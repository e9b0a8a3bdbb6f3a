import torch
from sklearn.datasets import make_moons

torch.manual_seed(0)
pts, lab = make_moons(400, noise=0.05, random_state=0)
pts = torch.as_tensor(pts, dtype=torch.float32)
lab = torch.as_tensor(lab, dtype=torch.float32).unsqueeze(1)

f = torch.nn.Sequential(
    torch.nn.Linear(2, 40),
    torch.nn.SiLU(),
    torch.nn.Linear(40, 40),
    torch.nn.SiLU(),
    torch.nn.Linear(40, 1),
)
bce = torch.nn.BCEWithLogitsLoss()
adam = torch.optim.Adam(f.parameters(), lr=5e-3)

for it in range(2501):
    adam.zero_grad()
    l = bce(f(pts), lab)
    l.backward()
    adam.step()
    if it % 250 == 0:
        print(it, "%.3e" % l.item())
acc = ((f(pts) > 0).float() == lab).float().mean()
print("acc", acc.item())
