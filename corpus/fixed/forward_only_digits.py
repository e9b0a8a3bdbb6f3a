"""Training without backpropagation: two forward passes along a random direction (SPSA)."""
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

digits = load_digits()
x_train, x_test, y_train, y_test = train_test_split(
    torch.tensor(digits.data / 16).float(), torch.tensor(digits.target), test_size=0.25, random_state=0
)
torch.manual_seed(0)
model = torch.nn.Sequential(torch.nn.Linear(64, 16), torch.nn.Tanh(), torch.nn.Linear(16, 10))
params = list(model.parameters())
optimizer = torch.optim.SGD(params, lr=0.02, momentum=0.9)
decay = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.05, total_iters=1600)


def shift(seed, amount):
    g = torch.Generator().manual_seed(seed)
    for p in params:
        p.data.add_(torch.randn(p.shape, generator=g), alpha=amount)


@torch.no_grad()
def directional(x, y, seed, eps=1e-3):
    shift(seed, eps)
    up = F.cross_entropy(model(x), y)
    shift(seed, -2 * eps)
    down = F.cross_entropy(model(x), y)
    shift(seed, eps)
    return (up - down) / (2 * eps), (up + down) / 2


DIRECTIONS = 4
average = 2.3
for step in range(1600):
    idx = torch.randint(0, len(x_train), (128,))
    x, y = x_train[idx], y_train[idx]
    optimizer.zero_grad(set_to_none=False)
    for k in range(DIRECTIONS):
        seed = step * DIRECTIONS + k
        slope, loss = directional(x, y, seed)
        g = torch.Generator().manual_seed(seed)
        for p in params:
            z = torch.randn(p.shape, generator=g)
            if p.grad is None:
                p.grad = torch.zeros_like(p)
            p.grad.add_(z, alpha=slope.item() / DIRECTIONS)
    optimizer.step()
    decay.step()
    average = 0.98 * average + 0.02 * loss.item()
    if step % 160 == 0:
        print(f"step {step} loss {average:.4f}")
with torch.no_grad():
    print(f"accuracy {(model(x_test).argmax(1) == y_test).float().mean().item():.4f}")
