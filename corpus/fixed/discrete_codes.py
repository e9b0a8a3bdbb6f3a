import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn


class GumbelCoder(nn.Module):
    """digits as 12 symbols out of 8, the choice made harder as training goes on"""

    def __init__(self, symbols=12, letters=8, width=192, start=10.0, end=0.3, horizon=1200):
        super().__init__()
        self.symbols, self.letters = symbols, letters
        self.start, self.end, self.horizon = start, end, horizon
        self.enc = nn.Sequential(nn.Linear(64, width), nn.GELU(), nn.Linear(width, symbols * letters))
        self.dec = nn.Sequential(nn.Linear(symbols * letters, width), nn.GELU(), nn.Linear(width, 64))
        self.register_buffer("seen", torch.zeros((), dtype=torch.long))

    def temperature(self):
        part = min(self.seen.item() / self.horizon, 1.0)
        return self.start * (self.end / self.start) ** part

    def forward(self, x):
        logits = self.enc(x).unflatten(1, (self.symbols, self.letters))
        if self.training:
            self.seen += 1
            z = F.gumbel_softmax(logits.float(), tau=self.temperature(), dim=-1).to(x.dtype)
        else:
            z = F.one_hot(logits.argmax(-1), self.letters).to(x.dtype)
        return self.dec(z.flatten(1))


def main():
    torch.manual_seed(7)
    x = torch.tensor(load_digits().data, dtype=torch.float32) / 16
    order = torch.randperm(len(x))
    train, test = x[order[:1500]], x[order[1500:]]
    model = GumbelCoder().bfloat16()
    master = [p.detach().float().requires_grad_() for p in model.parameters()]
    opt = torch.optim.Adam(master, lr=2e-3)
    for step in range(1600):
        batch = train[torch.randint(0, len(train), (128,))]
        loss = F.mse_loss(model(batch.bfloat16()).float(), batch)
        model.zero_grad()
        loss.backward()
        for w, p in zip(master, model.parameters()):
            w.grad = p.grad.float()
        opt.step()
        with torch.no_grad():
            for w, p in zip(master, model.parameters()):
                p.copy_(w)
        if step % 200 == 0:
            print(f"step {step} mse {loss.item():.4f} temperature {model.temperature():.2f}")
    model.eval()
    with torch.no_grad():
        err = F.mse_loss(model(test.bfloat16()).float(), test).item()
    print(f"held-out mse through hard codes {err:.4f} (variance {test.var().item():.4f})")


main()
