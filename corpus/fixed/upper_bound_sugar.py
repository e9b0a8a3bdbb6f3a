"""A 90 % upper bound for the diabetes progression score."""
import torch
from sklearn.datasets import load_diabetes
from sklearn.preprocessing import StandardScaler
from torch import nn


class PinballFn(torch.autograd.Function):
    @staticmethod
    def forward(ctx, estimate, target, level):
        gap = target - estimate
        ctx.save_for_backward(gap)
        ctx.level = level
        return torch.where(gap > 0, level * gap, (level - 1) * gap).mean()

    @staticmethod
    def backward(ctx, grad_output):
        (gap,) = ctx.saved_tensors
        slope = torch.where(gap > 0, -ctx.level, 1.0 - ctx.level)
        return grad_output * slope / gap.numel(), None, None


def fit(x, y, level, epochs=60, lr=1e-2):
    model = nn.Sequential(nn.Linear(x.shape[1], 16), nn.ELU(), nn.Linear(16, 1), nn.Flatten(0))
    opt = torch.optim.SGD(model.parameters(), lr=lr, momentum=0.9, nesterov=True, weight_decay=1e-3)
    for epoch in range(epochs):
        total = 0.0
        for idx in torch.randperm(len(x)).split(16):
            opt.zero_grad()
            loss = PinballFn.apply(model(x[idx]), y[idx], level)
            loss.backward()
            opt.step()
            total += loss.item() * len(idx)
        if epoch % 10 == 0 or epoch == epochs - 1:
            print(f"epoch {epoch} pinball {total / len(x):.4f}")
    return model


if __name__ == "__main__":
    torch.manual_seed(0)
    raw_x, raw_y = load_diabetes(return_X_y=True)
    x = torch.tensor(StandardScaler().fit_transform(raw_x)).float()
    y = torch.tensor((raw_y - raw_y.mean()) / raw_y.std()).float()
    bound = fit(x[:342], y[:342], level=0.9)
    with torch.no_grad():
        guess = bound(x[342:])
        score = PinballFn.apply(guess, y[342:], 0.9)
    print(f"held out: pinball {score.item():.4f}, share below the bound {(y[342:] <= guess).float().mean().item():.3f}")
