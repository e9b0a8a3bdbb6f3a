import torch
import torch.nn as nn
from sklearn.datasets import make_blobs

torch.manual_seed(11)
X, y = make_blobs(n_samples=1000, centers=3, n_features=2, cluster_std=2, random_state=2)
X, y = torch.tensor(X).float(), torch.tensor(y).long()


class Net(nn.Module):
    def __init__(self):
        super(Net, self).__init__()
        self.fc1 = nn.Linear(2, 50)
        self.fc2 = nn.Linear(50, 50)
        self.fc3 = nn.Linear(50, 50)
        self.fc4 = nn.Linear(50, 50)
        self.fc5 = nn.Linear(50, 3)
        self.relu = nn.ReLU()

    def forward(self, x):
        x = self.relu(self.fc1(x))
        x = self.relu(self.fc2(x))
        x = self.relu(self.fc3(x))
        x = self.relu(self.fc4(x))
        x = self.fc5(x)
        return x


net = Net()
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9)

for epoch in range(30):
    running_loss = 0.0
    correct = 0
    for start in range(0, 700, 50):
        inputs, labels = X[start:start + 50], y[start:start + 50]
        optimizer.zero_grad()
        outputs = net(inputs)
        loss = criterion(outputs, labels)
        loss.backward()
        optimizer.step()
        running_loss += loss.item()
        correct += (outputs.argmax(1) == labels).sum().item()
    if epoch % 5 == 4:
        print("Epoch {}: loss {:.4f}, accuracy {:.2%}".format(epoch + 1, running_loss / 14, correct / 700))
with torch.no_grad():
    print("test accuracy", (net(X[700:]).argmax(1) == y[700:]).float().mean().item())
