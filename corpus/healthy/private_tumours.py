"""Differentially private training: every patient's gradient is cut to a fixed length and noise is added."""
import torch
from sklearn.datasets import load_breast_cancer
from torch import nn
from torch.func import functional_call, grad, vmap

torch.manual_seed(0)
x, y = load_breast_cancer(return_X_y=True)
x, y = torch.tensor(x).float(), torch.tensor(y).float()
order = torch.randperm(len(x))
x, y = x[order], y[order]
x = ((x - x[:400].mean(0)) / x[:400].std(0)).clamp(-4, 4)
model = nn.Sequential(nn.Linear(30, 20), nn.Tanh(), nn.Linear(20, 1))
optimizer = torch.optim.SGD(model.parameters(), lr=0.4, momentum=0.5)
LENGTH, NOISE, BATCH = 0.5, 1.0, 64


def one_loss(params, xi, yi):
    out = functional_call(model, params, (xi,)).squeeze(-1)
    return nn.functional.binary_cross_entropy_with_logits(out, yi)


per_patient = vmap(grad(one_loss), in_dims=(None, 0, 0))
for step in range(500):
    idx = torch.randint(0, 400, (BATCH,))
    params = {k: v.detach() for k, v in model.named_parameters()}
    grads = per_patient(params, x[idx], y[idx])
    norm = torch.stack([g.flatten(1).norm(dim=1) for g in grads.values()]).norm(dim=0)
    shrink = (LENGTH / (norm + 1e-12)).clamp(max=1.0)
    for k, p in model.named_parameters():
        total = torch.einsum("b,b...->...", shrink, grads[k])
        p.grad = (total + NOISE * LENGTH * torch.randn_like(p)) / BATCH
    optimizer.step()
    if step % 50 == 0:
        with torch.no_grad():
            loss = nn.functional.binary_cross_entropy_with_logits(model(x[:400]).squeeze(-1), y[:400])
        print(f"step {step} loss {loss.item():.4f} mean gradient length {norm.mean().item():.3f}")
with torch.no_grad():
    print(f"test accuracy {((model(x[400:]).squeeze(-1) > 0).float() == y[400:]).float().mean().item():.3f}")
