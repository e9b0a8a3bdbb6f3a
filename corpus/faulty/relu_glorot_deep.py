import torch
from torch import nn, optim
from sklearn.datasets import load_digits

torch.manual_seed(11)
data = load_digits()
x_all = torch.tensor(data.data).float()
x_all = (x_all - x_all.mean()) / x_all.std()
y_all = torch.tensor(data.target).long()

blocks = []
for n_in, n_out in [(64, 128)] + [(128, 128)] * 25:
    lin = nn.Linear(n_in, n_out)
    nn.init.xavier_uniform_(lin.weight)
    nn.init.zeros_(lin.bias)
    blocks.append(nn.Sequential(lin, nn.ReLU()))
head = nn.Linear(128, 10)
nn.init.xavier_uniform_(head.weight)
nn.init.zeros_(head.bias)
model = nn.Sequential(*blocks, head)

optimizer = optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
loss_fn = nn.CrossEntropyLoss()
history = []
for step in range(300):
    rows = torch.randperm(1500)[:64]
    out = model(x_all[rows])
    loss = loss_fn(out, y_all[rows])
    model.zero_grad()
    loss.backward()
    optimizer.step()
    history.append(loss.item())
    if (step + 1) % 60 == 0:
        print(step + 1, sum(history[-60:]) / 60)
