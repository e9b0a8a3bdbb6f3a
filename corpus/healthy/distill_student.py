import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn

torch.manual_seed(80)
d = load_digits()
X = torch.tensor(d.data / 16).float()
y = torch.tensor(d.target)
Xte, yte = X[1400:], y[1400:]

teacher = nn.Sequential(
    nn.Linear(64, 256), nn.ReLU(), nn.Dropout(0.75),
    nn.Linear(256, 256), nn.ReLU(), nn.Dropout(0.75),
    nn.Linear(256, 10),
)
student = nn.Sequential(nn.Linear(64, 16), nn.Hardtanh(), nn.Linear(16, 10))


def score(m):
    m.eval()
    with torch.no_grad():
        return (m(Xte).argmax(1) == yte).float().mean().item()


opt = torch.optim.Adam(teacher.parameters(), lr=1.5e-3)
for epoch in range(18):
    teacher.train()
    for i in torch.randperm(1400).split(70):
        loss = F.cross_entropy(teacher(X[i]), y[i])
        opt.zero_grad()
        loss.backward()
        opt.step()
    if epoch % 3 == 2:
        print("teacher", epoch, loss.item(), score(teacher))

teacher.eval()
T = 4.0
opt = torch.optim.Adam(student.parameters(), lr=4e-3)
for epoch in range(20):
    student.train()
    for i in torch.randperm(1400).split(70):
        with torch.no_grad():
            soft = F.softmax(teacher(X[i]) / T, dim=1)
        out = student(X[i])
        kd = F.kl_div(F.log_softmax(out / T, dim=1), soft, reduction="batchmean") * T * T
        loss = 0.8 * kd + 0.2 * F.cross_entropy(out, y[i])
        opt.zero_grad()
        loss.backward()
        opt.step()
    if epoch % 4 == 3:
        print("student", epoch, loss.item(), score(student))
