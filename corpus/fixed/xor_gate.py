import torch
import torch.nn as nn

torch.manual_seed(2)

inputs = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
targets = torch.tensor([[0.0], [1.0], [1.0], [0.0]])


class XorNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(2, 4)
        self.fc2 = nn.Linear(4, 1)

    def forward(self, x):
        x = torch.tanh(self.fc1(x))
        return torch.sigmoid(self.fc2(x))


net = XorNet()
loss_fn = nn.BCELoss()
optimizer = torch.optim.SGD(net.parameters(), lr=0.5)

for i in range(3000):
    optimizer.zero_grad()
    output = net(inputs)
    loss = loss_fn(output, targets)
    loss.backward()
    optimizer.step()
    if i % 300 == 0:
        print(i, loss.item())

print("outputs:", [round(v, 3) for v in net(inputs).flatten().tolist()])
