import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader

torch.manual_seed(0)
images = torch.tensor(load_digits().images / 16, dtype=torch.float32).unsqueeze(1)
loader = DataLoader(images, batch_size=60, shuffle=True)


class Codec(nn.Module):
    def __init__(self, act=nn.Sigmoid):
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Conv2d(1, 12, 3, padding=1), act(),
            nn.Conv2d(12, 16, 3, stride=2, padding=1), act(),
            nn.Conv2d(16, 24, 3, stride=2, padding=1), act(),
            nn.Flatten(),
            nn.Linear(96, 20), act(),
        )
        self.decoder = nn.Sequential(
            nn.Linear(20, 96), act(),
            nn.Unflatten(1, (24, 2, 2)),
            nn.ConvTranspose2d(24, 16, 4, stride=2, padding=1), act(),
            nn.ConvTranspose2d(16, 12, 4, stride=2, padding=1), act(),
            nn.Conv2d(12, 1, 3, padding=1),
        )

    def forward(self, x):
        return self.decoder(self.encoder(x))


codec = Codec()
optimizer = torch.optim.Adam(codec.parameters(), lr=1e-3)
print("variance around the mean image:", ((images - images.mean(0)) ** 2).mean().item())
for epoch in range(12):
    total = 0.0
    for batch in loader:
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(codec(batch), batch)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(batch)
    print("epoch", epoch + 1, "reconstruction", total / len(images))
