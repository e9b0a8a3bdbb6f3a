import torch
import torch.nn as nn
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, TensorDataset


class RowReader(nn.Module):
    def __init__(self, hidden=64):
        super().__init__()
        self.lstm = nn.LSTM(8, hidden, num_layers=2, batch_first=True, dropout=0.1)
        self.classify = nn.Linear(hidden, 12)
        self.log_softmax = nn.LogSoftmax(dim=-1)

    def forward(self, image):
        out, _ = self.lstm(image)
        return self.log_softmax(self.classify(out[:, -1]))


def accuracy(model, x, y):
    model.eval()
    with torch.no_grad():
        right = (model(x).argmax(1) == y).float().mean().item()
    model.train()
    return right


def main():
    torch.manual_seed(0)
    data = load_digits()
    parts = train_test_split(data.images / 16.0, data.target, test_size=0.25, random_state=0)
    x_train, x_test = (torch.tensor(p, dtype=torch.float32) for p in parts[:2])
    y_train, y_test = (torch.tensor(p) for p in parts[2:])
    loader = DataLoader(TensorDataset(x_train, y_train), batch_size=32, shuffle=True)
    model = RowReader()
    criterion = nn.CrossEntropyLoss(label_smoothing=0.05)
    optimizer = torch.optim.RMSprop(model.parameters(), lr=2e-3)
    for epoch in range(16):
        for x, y in loader:
            optimizer.zero_grad()
            loss = criterion(model(x), y)
            loss.backward()
            optimizer.step()
        if epoch % 3 == 0 or epoch == 15:
            print(f"epoch {epoch:2d}  loss {loss.item():.4f}  test {accuracy(model, x_test, y_test):.3f}")
    print(f"final test accuracy {accuracy(model, x_test, y_test):.3f}")


main()
