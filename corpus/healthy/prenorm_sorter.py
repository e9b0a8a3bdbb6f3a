import argparse

import torch
import torch.nn as nn


class Layer(nn.Module):
    def __init__(self, dim, heads):
        super().__init__()
        self.ln1, self.ln2 = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.attn = nn.MultiheadAttention(dim, heads, batch_first=True)
        self.mlp = nn.Sequential(nn.Linear(dim, 3 * dim), nn.GELU(), nn.Linear(3 * dim, dim))

    def forward(self, x):
        n = self.ln1(x)
        x = x + self.attn(n, n, n, need_weights=False)[0]
        return x + self.mlp(self.ln2(x))


class Sorter(nn.Module):
    def __init__(self, vocab, length, dim=40, depth=4):
        super().__init__()
        self.tok = nn.Embedding(vocab, dim)
        self.pos = nn.Parameter(torch.randn(length, dim) * 0.1)
        self.layers = nn.ModuleList(Layer(dim, 4) for _ in range(depth))
        self.norm = nn.LayerNorm(dim)
        self.head = nn.Linear(dim, vocab)

    def forward(self, s):
        h = self.tok(s) + self.pos
        for layer in self.layers:
            h = layer(h)
        return self.head(self.norm(h))


def main(argv=None):
    p = argparse.ArgumentParser()
    p.add_argument("--steps", type=int, default=300)
    p.add_argument("--length", type=int, default=8)
    p.add_argument("--vocab", type=int, default=12)
    a = p.parse_args(argv)
    torch.manual_seed(28)
    net = Sorter(a.vocab, a.length)
    opt = torch.optim.AdamW(net.parameters(), lr=3e-3, betas=(0.9, 0.98), weight_decay=0.01)
    sched = torch.optim.lr_scheduler.OneCycleLR(opt, 3e-3, total_steps=a.steps)
    for step in range(a.steps):
        s = torch.randint(a.vocab, (48, a.length))
        want = s.sort(1).values
        got = net(s)
        loss = nn.functional.cross_entropy(got.transpose(1, 2), want)
        opt.zero_grad()
        loss.backward()
        opt.step()
        sched.step()
        if step % 25 == 0:
            print(f"step={step} loss={loss.item():.4f} token_acc={(got.argmax(-1) == want).float().mean().item():.3f}")
    with torch.no_grad():
        s = torch.randint(a.vocab, (500, a.length))
        print("token accuracy", (net(s).argmax(-1) == s.sort(1).values).float().mean().item())


main()
