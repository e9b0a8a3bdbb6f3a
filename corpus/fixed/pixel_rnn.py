"""Digits read one pixel at a time by a hand-written recurrent network."""
import torch
from sklearn.datasets import load_digits

torch.manual_seed(0)
digits = load_digits()
seqs = torch.tensor(digits.data / 16, dtype=torch.float32)
target = torch.tensor(digits.target)

H = 64
Wx = torch.nn.Parameter(torch.randn(1, H) * 0.3)
Wh = torch.nn.Parameter(torch.nn.init.orthogonal_(torch.empty(H, H), gain=1.0))
b = torch.nn.Parameter(torch.zeros(H))
Wo = torch.nn.Parameter(torch.randn(H, 10) / H ** 0.5)
bo = torch.nn.Parameter(torch.zeros(10))
params = [Wx, Wh, b, Wo, bo]
optim = torch.optim.RMSprop(params, lr=1e-3)


def read(x):
    h = x.new_zeros(len(x), H)
    for t in range(x.shape[1]):
        h = torch.tanh(x[:, t:t + 1] @ Wx + h @ Wh + b)
    return h @ Wo + bo


for epoch in range(15):
    order = torch.randperm(1500)
    losses, hits = [], 0
    for k in range(0, 1500, 75):
        i = order[k:k + 75]
        logits = read(seqs[i])
        loss = torch.nn.functional.cross_entropy(logits, target[i])
        optim.zero_grad()
        loss.backward()
        optim.step()
        losses.append(loss.item())
        hits += int((logits.argmax(1) == target[i]).sum())
    print("epoch %2d  loss %.3f  train accuracy %.3f" % (epoch, sum(losses) / len(losses), hits / 1500))
