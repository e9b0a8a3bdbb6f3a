import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

SEED = 0
torch.manual_seed(SEED)
rng = np.random.default_rng(SEED)

digits = load_digits()
images = digits.images.astype("float32") / 16.0
tr_x, te_x, tr_y, te_y = train_test_split(images, digits.target, test_size=0.3, random_state=SEED)


class Embedder(nn.Module):
    def __init__(self, dim=16):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 16, 3, padding=1)
        self.conv2 = nn.Conv2d(16, 32, 3, padding=1)
        self.proj = nn.Linear(32 * 4 * 4, dim)

    def forward(self, x):
        x = F.relu(self.conv1(x))
        x = F.relu(F.max_pool2d(self.conv2(x), 2))
        return self.proj(x.flatten(1))


def draw_pairs(x, y, n):
    first = rng.integers(0, len(y), n)
    second = rng.integers(0, len(y), n)
    for k in range(0, n, 2):
        second[k] = rng.choice(np.flatnonzero(y == y[first[k]]))
    same = torch.from_numpy((y[first] == y[second]).astype("int64"))
    a = torch.from_numpy(x[first]).unsqueeze(1)
    b = torch.from_numpy(x[second]).unsqueeze(1)
    return a, b, same


net = Embedder()
opt = torch.optim.Adam(net.parameters(), lr=1e-3)

for it in range(600):
    a, b, same = draw_pairs(tr_x, tr_y, 64)
    loss = F.cosine_embedding_loss(net(a), net(b), same, margin=0.2)
    opt.zero_grad()
    loss.backward()
    opt.step()
    if it % 100 == 0:
        print(f"iter {it}  loss {loss.item():.4f}")

net.eval()
with torch.no_grad():
    a, b, same = draw_pairs(te_x, te_y, 1000)
    guess = F.cosine_similarity(net(a), net(b)) > 0.5
    acc = (guess == same.bool()).float().mean().item()
print(f"verification accuracy on unseen pairs: {acc:.3f}  (share of equal pairs {same.float().mean().item():.3f})")
