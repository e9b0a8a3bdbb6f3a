import math

import torch
import torch.nn.functional as F
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split

gen = torch.Generator().manual_seed(11)
X, y = load_wine(return_X_y=True)
Xa, Xb, ya, yb = train_test_split(X, y, test_size=0.3, stratify=y, random_state=1)
mu, sd = Xa.mean(0), Xa.std(0)
Xa = torch.tensor((Xa - mu) / sd, dtype=torch.float32)
Xb = torch.tensor((Xb - mu) / sd, dtype=torch.float32)
ya, yb = torch.tensor(ya), torch.tensor(yb)

L, W = 50, 48


def weight(n_in, n_out):
    return (torch.randn(n_in, n_out, generator=gen) * math.sqrt(2 / n_in)).requires_grad_()


first = weight(13, W)
hidden = [weight(W, W) for _ in range(L)]
gain = [torch.ones(W, requires_grad=True) for _ in range(L)]
shift = [torch.zeros(W, requires_grad=True) for _ in range(L)]
last = weight(W, 3)
stats = [(torch.zeros(W), torch.ones(W)) for _ in range(L)]
params = [first, last, *hidden, *gain, *shift]


def forward(x, train):
    h = x @ first
    for w, g, s, (m, v) in zip(hidden, gain, shift, stats):
        h = F.relu(F.batch_norm(h, m, v, g, s, training=train)) @ w
    return h @ last / W


velocity = [torch.zeros_like(p) for p in params]
for epoch in range(60):
    total = 0.0
    for idx in torch.randperm(len(Xa), generator=gen).split(31):
        loss = F.cross_entropy(forward(Xa[idx], True), ya[idx])
        grads = torch.autograd.grad(loss, params)
        with torch.no_grad():
            for p, g, vel in zip(params, grads, velocity):
                vel.mul_(0.9).add_(g)
                p -= 0.01 * vel
        total += loss.item()
    if epoch % 10 == 9:
        print(epoch + 1, total / 4)

with torch.no_grad():
    print("test accuracy:", (forward(Xb, False).argmax(1) == yb).float().mean().item())
