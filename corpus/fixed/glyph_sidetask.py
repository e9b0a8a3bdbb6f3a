import torch
from sklearn.datasets import load_digits
from torch import nn


class TwoJobs(nn.Module):
    """Names a digit and paints it again from the same sixteen numbers."""

    def __init__(self):
        super().__init__()
        self.encode = nn.Sequential(nn.Linear(64, 96), nn.SiLU(), nn.Linear(96, 16))
        self.name = nn.Linear(16, 10)
        self.paint = nn.Sequential(nn.Linear(16, 96), nn.SiLU(), nn.Linear(96, 64), nn.Sigmoid())

    def forward(self, x):
        code = self.encode(x)
        return self.name(code), self.paint(code)


def main(epochs=25, batch=64, paint_weight=0.0003, lr=4e-3):
    torch.manual_seed(0)
    digits = load_digits()
    x = torch.tensor(digits.data / 16).float()
    y = torch.tensor(digits.target)
    net = TwoJobs()
    opt = torch.optim.Adam(net.parameters(), lr=lr)
    scaler = torch.amp.GradScaler("cpu")
    for epoch in range(epochs):
        ce_sum = paint_sum = 0.0
        for idx in torch.randperm(1500).split(batch):
            with torch.autocast("cpu", dtype=torch.float16):
                logits, picture = net(x[idx])
                ce = nn.functional.cross_entropy(logits, y[idx])
                paint = nn.functional.mse_loss(picture, x[idx])
            loss = ce + paint_weight * paint
            opt.zero_grad()
            scaler.scale(loss).backward()
            scaler.step(opt)
            scaler.update()
            ce_sum, paint_sum = ce_sum + ce.item(), paint_sum + paint.item()
        if epoch % 4 == 0:
            print(f"{epoch:2d} cross-entropy {ce_sum / 24:.4f} painting {paint_sum / 24:.5f}")
    with torch.no_grad():
        logits, picture = net(x[1500:])
    print(f"test accuracy {(logits.argmax(1) == y[1500:]).float().mean().item():.3f}")
    print(f"test painting error {nn.functional.mse_loss(picture, x[1500:]).item():.5f} (variance {x.sub(x.mean(0)).pow(2).mean().item():.5f})")


main()
