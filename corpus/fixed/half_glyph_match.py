import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, Dataset


class GlyphHalves(Dataset):
    """Upper half of one glyph, lower half of another, and whether both show the same numeral."""

    def __init__(self, images, labels, length, seed):
        self.images, self.labels, self.length = images, labels, length
        g = torch.Generator().manual_seed(seed)
        self.first = torch.randint(len(images), (length,), generator=g)
        self.same = torch.rand(length, generator=g) < 0.5
        self.second = torch.empty(length, dtype=torch.long)
        for k in range(length):
            match = labels == labels[self.first[k]]
            pool = torch.where(match if self.same[k] else ~match)[0]
            self.second[k] = pool[torch.randint(len(pool), (1,), generator=g)]

    def __len__(self):
        return self.length

    def __getitem__(self, k):
        upper = self.images[self.first[k], :, :4]
        lower = self.images[self.second[k], :, 4:]
        return upper, lower, self.same[k].float()


def tower():
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(),
        nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(),
        nn.Flatten(), nn.Linear(32 * 4 * 8, 64), nn.ReLU(), nn.Linear(64, 32),
    )


class TwoTowers(nn.Module):
    def __init__(self):
        super().__init__()
        self.upper, self.lower = tower(), tower()

    def forward(self, a, b):
        return self.upper(a), self.lower(b)


torch.manual_seed(0)
digits = load_digits()
shuffled = torch.randperm(len(digits.target))
images = torch.tensor(digits.images / 16, dtype=torch.float32).unsqueeze(1)[shuffled]
labels = torch.tensor(digits.target)[shuffled]
train = DataLoader(GlyphHalves(images[:1300], labels[:1300], 5000, 1), batch_size=64, shuffle=True)
test = DataLoader(GlyphHalves(images[1300:], labels[1300:], 1000, 2), batch_size=250)

model = TwoTowers()
criterion = nn.CosineEmbeddingLoss(margin=0.2)
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
for epoch in range(6):
    running = 0.0
    for upper, lower, same in train:
        a, b = model(upper, lower)
        loss = criterion(a, b, 2 * same - 1)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        running += loss.item()
    print(f"epoch {epoch} loss {running / len(train):.4f}")

right = 0
with torch.no_grad():
    for upper, lower, same in test:
        a, b = model(upper, lower)
        right += ((torch.cosine_similarity(a, b) > 0.6) == same.bool()).sum().item()
print(f"pairs judged correctly: {right / 1000:.3f}")
