import torch
from sklearn.datasets import load_digits
from torch import nn

torch.manual_seed(3)
pixels = torch.tensor(load_digits().images, dtype=torch.float32)
pixels = (pixels - pixels.mean(0)) / (pixels.std(0) + 1.0)
pixels = pixels[torch.randperm(len(pixels))]
left, right = pixels[:, :, :4].flatten(1), pixels[:, :, 4:].flatten(1)


def critic():
    return nn.Sequential(nn.Linear(32, 96), nn.ReLU(), nn.Linear(96, 24))


f, g = critic(), critic()
ascent = torch.optim.AdamW([{"params": f.parameters()}, {"params": g.parameters()}], lr=1e-3, weight_decay=0.1, maximize=True)


def information(a, b):
    """InfoNCE lower bound on the mutual information of the two halves, in nats"""
    scores = f(a) @ g(b).T / 5
    return scores.diag().mean() - scores.logsumexp(1).mean() + torch.tensor(float(len(a))).log()


for step in range(700):
    i = torch.randint(0, 1400, (128,))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        scores_fit = information(left[i], right[i])
    objective = scores_fit - 0.003 * sum(p.square().sum() for p in ascent.param_groups[0]["params"])
    ascent.zero_grad()
    objective.backward()
    ascent.step()
    if step % 50 == 49:
        print(f"step {step + 1} bound {scores_fit.item():.3f}")

with torch.no_grad():
    a, b = left[1400:1528], right[1400:1528]
    hit = ((f(a) @ g(b).T).argmax(1) == torch.arange(128)).float().mean().item()
    print(f"held-out bound {information(a, b).item():.3f} nats, right half found {hit:.3f} (chance {1 / 128:.3f})")
