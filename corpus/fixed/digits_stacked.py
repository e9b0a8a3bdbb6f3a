import torch
from torch import nn
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

torch.manual_seed(0)
raw = load_digits()
x_train, x_test, y_train, y_test = train_test_split(raw.data / 16, raw.target, test_size=0.2, random_state=0)
x_train = torch.tensor(x_train, dtype=torch.float32)
x_test = torch.tensor(x_test, dtype=torch.float32)
y_train = torch.tensor(y_train)
y_test = torch.tensor(y_test)

model = nn.Sequential()
model.add_module("dense_1", nn.Linear(64, 128))
model.add_module("act_1", nn.ReLU())
model.add_module("dense_2", nn.Linear(128, 128))
model.add_module("act_2", nn.ReLU())
model.add_module("dense_3", nn.Linear(128, 10))

loss_fn = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

n = len(x_train)
for epoch in range(20):
    shuffle = torch.randperm(n)
    for i in range(0, n, 64):
        rows = shuffle[i:i + 64]
        optimizer.zero_grad()
        loss = loss_fn(model(x_train[rows]), y_train[rows])
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        train_loss = loss_fn(model(x_train), y_train).item()
        acc = (model(x_test).argmax(1) == y_test).float().mean().item()
    print("%2d/20  loss: %.4f  val_acc: %.4f" % (epoch + 1, train_loss, acc))
