'''Digits with the optimiser settings of the old Keras example.'''
import torch
from torch import nn
from sklearn.datasets import load_digits

torch.manual_seed(0)
batch_size, num_classes, epochs = 32, 10, 12

digits = load_digits()
x = torch.tensor(digits.images[:, None] / 16, dtype=torch.float32)
y = torch.tensor(digits.target)
x_train, y_train, x_test, y_test = x[:1440], y[:1440], x[1440:], y[1440:]
print("x_train shape:", tuple(x_train.shape))

model = nn.Sequential(
    nn.Conv2d(1, 8, 3, padding=1),
    nn.ReLU(),
    nn.Conv2d(8, 16, 3, padding=1),
    nn.ReLU(),
    nn.MaxPool2d(2),
    nn.Flatten(),
    nn.Linear(16 * 16, 64),
    nn.ReLU(),
    nn.Linear(64, num_classes),
)
optimizer = torch.optim.Adadelta(model.parameters(), lr=0.001, rho=0.95, eps=1e-7)
loss_fn = nn.CrossEntropyLoss()

for epoch in range(epochs):
    model.train()
    seen = 0.0
    for idx in torch.randperm(len(x_train)).split(batch_size):
        optimizer.zero_grad()
        loss = loss_fn(model(x_train[idx]), y_train[idx])
        loss.backward()
        optimizer.step()
        seen += loss.item() * len(idx)
    model.eval()
    with torch.no_grad():
        pred = model(x_test)
        test_loss = loss_fn(pred, y_test).item()
        test_acc = (pred.argmax(1) == y_test).float().mean().item()
    print("Epoch %d/%d loss: %.4f val_loss: %.4f val_acc: %.4f" % (epoch + 1, epochs, seen / len(x_train), test_loss, test_acc))
