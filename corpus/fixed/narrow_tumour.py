import torch
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn

torch.manual_seed(0)
a, b, ya, yb = train_test_split(*load_breast_cancer(return_X_y=True), test_size=0.25, random_state=0)
sc = StandardScaler().fit(a)
a, b = (torch.tensor(sc.transform(v), dtype=torch.float32) for v in (a, b))
ya, yb = (torch.tensor(v, dtype=torch.float32) for v in (ya, yb))


def build(width=3, depth=20, act=nn.ELU):
    mods = [nn.Linear(30, width), act()]
    for _ in range(depth):
        mods += [nn.Linear(width, width), act()]
    mods.append(nn.Linear(width, 1))
    net = nn.Sequential(*mods)
    for m in net:
        if isinstance(m, nn.Linear):
            nn.init.kaiming_normal_(m.weight)
            nn.init.zeros_(m.bias)
    return net


net = build()
opt = torch.optim.Adam(net.parameters(), lr=3e-3)
bce = nn.BCEWithLogitsLoss()
for step in range(700):
    idx = torch.randint(0, len(a), (64,))
    loss = bce(net(a[idx]).squeeze(1), ya[idx])
    opt.zero_grad(set_to_none=True)
    loss.backward()
    opt.step()
    if step % 100 == 0:
        print(step, round(loss.item(), 4))

with torch.no_grad():
    hit = ((net(b).squeeze(1) > 0).float() == yb).float().mean()
print("test accuracy %.3f" % hit.item())
