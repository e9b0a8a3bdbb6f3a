"""Rosenblatt's rule with a margin, written out by hand."""
import torch
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split

torch.manual_seed(55)
X, t = load_breast_cancer(return_X_y=True)
Xa, Xb, ta, tb = train_test_split(X, t * 2.0 - 1.0, random_state=55, stratify=t)
mean, std = Xa.mean(0), Xa.std(0)
Xa, Xb = (torch.tensor((A - mean) / std, dtype=torch.float32) for A in (Xa, Xb))
ta, tb = torch.tensor(ta, dtype=torch.float32), torch.tensor(tb, dtype=torch.float32)

w = torch.zeros(30, requires_grad=True)
b = torch.zeros(1, requires_grad=True)
lr = 0.05
for epoch in range(15):
    total, mistakes, quiet = 0.0, 0, 0
    for i in torch.randperm(len(Xa)).split(6):
        margin = ta[i] * (Xa[i] @ w + b)
        loss = torch.clamp(0.2 - margin, min=0).mean()
        loss.backward()
        with torch.no_grad():
            quiet += int(w.grad.abs().sum() == 0)
            w -= lr * w.grad
            b -= lr * b.grad
        w.grad = None
        b.grad = None
        total += loss.item() * len(i)
        mistakes += (margin <= 0).sum().item()
    print(f"pass {epoch}: mean hinge {total / len(Xa):.4f}, mistakes {mistakes}, batches without any {quiet}")
print("test accuracy", ((Xb @ w + b).sign() == tb).float().mean().item())
