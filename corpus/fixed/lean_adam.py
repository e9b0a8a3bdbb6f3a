import torch
from sklearn.datasets import load_digits
from torch import nn


class LeanAdam(torch.optim.Optimizer):
    """Adam that keeps its two moments in 16 bits"""

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-6):
        super().__init__(params, dict(lr=lr, betas=betas, eps=eps))

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            b1, b2 = group["betas"]
            for p in group["params"]:
                if p.grad is None:
                    continue
                st = self.state[p]
                if not st:
                    st["t"] = 0
                    st["m"] = torch.zeros_like(p, dtype=torch.float16)
                    st["v"] = torch.zeros_like(p, dtype=torch.bfloat16)
                st["t"] += 1
                m = st["m"].float().mul_(b1).add_(p.grad, alpha=1 - b1)
                v = st["v"].float().mul_(b2).addcmul_(p.grad, p.grad, value=1 - b2)
                st["m"].copy_(m)
                st["v"].copy_(v)
                m_hat = st["m"].float() / (1 - b1 ** st["t"])
                v_hat = st["v"].float() / (1 - b2 ** st["t"])
                p.sub_(group["lr"] * m_hat / (v_hat.sqrt() + group["eps"]))


class ConvNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(),
            nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(32, 32, 3, padding=1), nn.ReLU(), nn.Flatten(),
        )
        self.classify = nn.Linear(32 * 16, 10)

    def forward(self, x):
        return self.classify(self.features(x))


torch.manual_seed(0)
digits = load_digits()
x = torch.tensor(digits.images, dtype=torch.float32)[:, None] / 16
y = torch.tensor(digits.target)
order = torch.randperm(len(x))
train, test = order[:1400], order[1400:]

net = ConvNet()
opt = LeanAdam(net.parameters(), lr=1e-3)
for epoch in range(10):
    shuffled = train[torch.randperm(len(train))]
    total = 0.0
    for i in shuffled.split(64):
        loss = nn.functional.cross_entropy(net(x[i]), y[i])
        opt.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        opt.step()
        total += loss.item() * len(i)
    print("epoch", epoch, "loss", total / len(train))
with torch.no_grad():
    print("accuracy", (net(x[test]).argmax(1) == y[test]).float().mean().item())
