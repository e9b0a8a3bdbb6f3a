import torch
from torch import nn, optim
from torch.utils.data import DataLoader, Dataset
from sklearn.datasets import load_digits


class DigitsDataset(Dataset):
    def __init__(self, images, targets, transform=None):
        self.images = torch.tensor(images, dtype=torch.float32)
        self.targets = torch.tensor(targets, dtype=torch.long)
        self.transform = transform

    def __len__(self):
        return len(self.targets)

    def __getitem__(self, i):
        img = self.images[i]
        if self.transform:
            img = self.transform(img)
        return img, self.targets[i]


torch.manual_seed(0)
digits = load_digits()
images = digits.images / 16.0
train = DigitsDataset(images[:1400], digits.target[:1400])
test = DigitsDataset(images[1400:], digits.target[1400:])
train_loader = DataLoader(train, batch_size=50, shuffle=True)
test_loader = DataLoader(test, batch_size=len(test))

model = nn.Sequential(
    nn.Flatten(),
    nn.Linear(64, 64),
    nn.ReLU(),
    nn.Linear(64, 32),
    nn.ReLU(),
    nn.Linear(32, 10),
)
optimizer = optim.SGD(model.parameters(), lr=0.1)
for epoch in range(15):
    for img, target in train_loader:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(img), target)
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        img, target = next(iter(test_loader))
        out = model(img)
        print(epoch, "test loss", nn.functional.cross_entropy(out, target).item(),
              "acc", (out.argmax(1) == target).float().mean().item())
