"""A hand-written linear register reads a binary number from the left: every step doubles what is held."""
import torch
from torch import nn

BITS = 10


class Register(nn.Module):
    def __init__(self, width=4):
        super().__init__()
        self.keep = nn.Parameter(1.6 * torch.eye(width) + 0.05 * torch.randn(width, width))
        self.write = nn.Parameter(0.5 * torch.randn(1, width))
        self.read = nn.Parameter(0.5 * torch.randn(width, 1))

    def forward(self, bits):
        h = bits.new_zeros(len(bits), len(self.keep))
        for t in range(bits.shape[1]):
            h = h @ self.keep + bits[:, t : t + 1] @ self.write
        return (h @ self.read).squeeze(1)


def numbers(n, bits):
    b = torch.randint(0, 2, (n, bits)).float()
    return b, b @ (2.0 ** torch.arange(bits - 1, -1, -1))


def main():
    torch.manual_seed(0)
    model = Register()
    opt = torch.optim.Adam(model.parameters(), lr=3e-3)
    sched = torch.optim.lr_scheduler.CosineAnnealingLR(opt, 2000)
    for step in range(2000):
        b, value = numbers(64, BITS)
        loss = nn.functional.l1_loss(model(b), value)
        opt.zero_grad()
        loss.backward()
        opt.step()
        sched.step()
        if step % 200 == 0:
            print(f"step {step:4d}  loss {loss.item():9.3f}")
    b, value = numbers(1000, BITS)
    with torch.no_grad():
        guess = model(b)
    print(f"held-out: mean error {100 * ((guess - value).abs().mean() / value.mean()).item():.2f}% of the mean number")


if __name__ == "__main__":
    main()
