import torch
from sklearn.datasets import load_digits
from torch import nn

digits = load_digits()
rows = torch.tensor(digits.images, dtype=torch.float32) / 8 - 1
target = torch.tensor(digits.target)
TAIL = 4


def episodes(n, lo, hi):
    """Eight rows of the numeral in question, then the rows of other numerals."""
    i = torch.randint(lo, hi, (n, 1 + TAIL))
    return rows[i].reshape(n, 8 * (1 + TAIL), 8), target[i[:, 0]]


class Reader(nn.Module):
    def __init__(self, hidden=64, horizon=40):
        super().__init__()
        self.lstm = nn.LSTM(9, hidden, batch_first=True)
        self.head = nn.Linear(hidden, 10)
        spread = torch.log(torch.empty(hidden).uniform_(1, horizon - 1))
        with torch.no_grad():
            self.lstm.bias_ih_l0.zero_()
            self.lstm.bias_hh_l0.zero_()
            self.lstm.bias_ih_l0[:hidden] = spread
            self.lstm.bias_ih_l0[hidden:2 * hidden] = -spread

    def forward(self, x):
        mark = torch.zeros(x.shape[0], x.shape[1], 1)
        mark[:, :8] = 1.0
        out, _ = self.lstm(torch.cat([x, mark], dim=-1))
        return self.head(out[:, -1])


def main(steps=600):
    torch.manual_seed(4)
    model = Reader()
    opt = torch.optim.Adam(model.parameters(), lr=4e-3)
    criterion = nn.CrossEntropyLoss()
    for step in range(1, steps + 1):
        x, y = episodes(48, 0, 1400)
        loss = criterion(model(x), y)
        opt.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        opt.step()
        if step % 60 == 0:
            print(f"{step} {loss.item():.3f}")
    model.eval()
    with torch.no_grad():
        x, y = episodes(1000, 1400, len(rows))
        print("accuracy", (model(x).argmax(1) == y).float().mean().item())


main()
