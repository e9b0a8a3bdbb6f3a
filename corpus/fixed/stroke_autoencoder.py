import torch
import torch.nn as nn
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, random_split

torch.manual_seed(4)
images = torch.tensor(load_digits().images / 16.0, dtype=torch.float32).unsqueeze(1)
train_set, test_set = random_split(images, [1500, 297])
loader = DataLoader(train_set, batch_size=50, shuffle=True)
test = torch.stack([test_set[i] for i in range(len(test_set))])


class ConvAutoencoder(nn.Module):
    def __init__(self, code=12):
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Conv2d(1, 16, 3, stride=2, padding=1), nn.ELU(),
            nn.Conv2d(16, 32, 3, stride=2, padding=1), nn.ELU(),
            nn.Flatten(), nn.Linear(128, code),
        )
        self.decoder = nn.Sequential(
            nn.Linear(code, 128), nn.ELU(), nn.Unflatten(1, (32, 2, 2)),
            nn.ConvTranspose2d(32, 16, 4, stride=2, padding=1), nn.ELU(),
            nn.ConvTranspose2d(16, 1, 4, stride=2, padding=1),
        )

    def forward(self, x):
        return self.decoder(self.encoder(x))


net = ConvAutoencoder()
optimizer = torch.optim.RMSprop(net.parameters(), lr=1e-3, alpha=0.9, momentum=0.9, eps=1e-8)
criterion = nn.MSELoss()
for epoch in range(15):
    total = 0.0
    for batch in loader:
        loss = criterion(net(batch), batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(batch)
    if epoch % 3 == 0 or epoch == 14:
        print(f"Epoch {epoch:3d}  reconstruction {total / 1500:.5f}")

net.eval()
with torch.no_grad():
    mse = criterion(net(test), test).item()
print(f"held-out MSE {mse:.5f}, share of variance explained {1 - mse / (test - test.mean(0)).pow(2).mean().item():.3f}")
