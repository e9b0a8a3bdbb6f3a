"""DP-SGD: the gradient of every single example is clipped to 0.1, summed, noised and averaged."""
import torch
import torch.nn as nn
from sklearn.datasets import load_digits
from torch.func import functional_call, grad, vmap

torch.manual_seed(0)
data, label = load_digits(return_X_y=True)
mix = torch.randperm(len(label))
X, Y = torch.tensor(data / 16, dtype=torch.float32)[mix], torch.tensor(label)[mix]
net = nn.Sequential(nn.Linear(64, 48), nn.Tanh(), nn.Linear(48, 10))
CLIP, SIGMA = 0.1, 1.0
opt = torch.optim.SGD(net.parameters(), lr=5.0)


def loss_one(params, x, y):
    return nn.functional.cross_entropy(functional_call(net, params, (x.unsqueeze(0),)), y.unsqueeze(0))


per_example = vmap(grad(loss_one), in_dims=(None, 0, 0))
for step in range(1, 401):
    idx = torch.nonzero(torch.rand(1500) < 0.15).flatten()
    params = {k: v.detach() for k, v in net.named_parameters()}
    grads = per_example(params, X[idx], Y[idx])
    norm = torch.stack([g.flatten(1).norm(dim=1) for g in grads.values()]).norm(dim=0)
    shrink = (CLIP / (norm + 1e-6)).clamp(max=1.0)
    for name, p in net.named_parameters():
        summed = torch.einsum("n,n...->...", shrink, grads[name])
        p.grad = (summed + SIGMA * CLIP * torch.randn_like(p)) / 225
    opt.step()
    if step % 50 == 0:
        with torch.no_grad():
            print(f"step {step}: loss {nn.functional.cross_entropy(net(X[:1500]), Y[:1500]):.4f}, typical norm {norm.median():.2f}")
with torch.no_grad():
    print("held-out accuracy", (net(X[1500:]).argmax(1) == Y[1500:]).float().mean().item())
