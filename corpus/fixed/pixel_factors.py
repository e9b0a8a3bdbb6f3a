# The digits as a three-way table (image, row, column), factorised by stochastic gradient descent.
import torch
from sklearn.datasets import load_digits

torch.manual_seed(0)
table = torch.tensor(load_digits().images[:300] / 16, dtype=torch.float32)
table = table - table.mean()
RANK, LR = 24, 0.1


def factors(n, std=0.5):
    emb = torch.nn.Embedding(n, RANK)
    torch.nn.init.normal_(emb.weight, std=std)
    return emb


images, rows, cols = factors(len(table)), factors(8), factors(8)
weights = [images.weight, rows.weight, cols.weight]

smooth = None
for step in range(2000):
    n = torch.randint(0, len(table), (512,))
    i, j = torch.randint(0, 8, (2, 512))
    guess = (images(n) * rows(i) * cols(j)).sum(1)
    err = table[n, i, j] - guess
    loss = 0.5 * (err ** 2).sum()
    grads = torch.autograd.grad(loss, weights)
    with torch.no_grad():
        for w, g in zip(weights, grads):
            w -= LR * g
    mse = (err ** 2).mean().item()
    smooth = mse if smooth is None else 0.98 * smooth + 0.02 * mse
    if step % 250 == 249:
        print("after", step + 1, "draws: mse", round(smooth, 4), "of", round(table.var().item(), 4))
