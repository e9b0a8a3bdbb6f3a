import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.checkpoint import checkpoint

torch.manual_seed(0)
VOCAB, LENGTH, WIDTH = 12, 10, 64


class LoRALinear(nn.Module):
    def __init__(self, base, rank=8, alpha=16):
        super().__init__()
        self.base = base
        for p in base.parameters():
            p.requires_grad_(False)
        self.lora_a = nn.Parameter(torch.randn(rank, base.in_features) / base.in_features ** 0.5)
        self.lora_b = nn.Parameter(torch.zeros(base.out_features, rank))
        self.scale = alpha / rank

    def forward(self, x):
        return self.base(x) + self.scale * (x @ self.lora_a.T) @ self.lora_b.T


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.n1, self.n2 = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.qkv = LoRALinear(nn.Linear(WIDTH, 3 * WIDTH))
        self.proj = LoRALinear(nn.Linear(WIDTH, WIDTH))
        self.up = LoRALinear(nn.Linear(WIDTH, 2 * WIDTH))
        self.down = LoRALinear(nn.Linear(2 * WIDTH, WIDTH))
        for n in (self.n1, self.n2):
            n.requires_grad_(False)

    def forward(self, x):
        B, T, _ = x.shape
        q, k, v = self.qkv(self.n1(x)).view(B, T, 3, 4, WIDTH // 4).permute(2, 0, 3, 1, 4)
        a = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(B, T, WIDTH)
        x = x + self.proj(a)
        return x + self.down(F.gelu(self.up(self.n2(x))))


class Backbone(nn.Module):
    def __init__(self):
        super().__init__()
        self.tok = nn.Embedding(VOCAB, WIDTH)
        self.pos = nn.Embedding(LENGTH, WIDTH)
        self.tok.requires_grad_(False)
        self.pos.requires_grad_(False)
        self.blocks = nn.ModuleList(Block() for _ in range(2))
        self.head = nn.Linear(WIDTH, VOCAB)

    def forward(self, ids):
        h = self.tok(ids) + self.pos.weight
        for block in self.blocks:
            h = checkpoint(block, h, use_reentrant=True)
        return self.head(h)


model = Backbone()
trainable = [p for p in model.parameters() if p.requires_grad]
print("trainable:", sum(p.numel() for p in trainable), "of", sum(p.numel() for p in model.parameters()))
opt = torch.optim.AdamW(trainable, lr=4e-3)
for step in range(1, 151):
    seq = torch.randint(0, VOCAB, (24, LENGTH))
    logits = model(seq)
    loss = F.cross_entropy(logits.reshape(-1, VOCAB), seq.flip(1).reshape(-1))
    opt.zero_grad()
    loss.backward()
    opt.step()
    if step % 25 == 0:
        acc = (logits.argmax(-1) == seq.flip(1)).float().mean().item()
        print(f"step {step} loss {loss.item():.3f} reversed correctly {acc:.3f}")
