import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

SYMBOLS, WORDS = 6, 2


class Speaker(nn.Module):
    def __init__(self):
        super().__init__()
        self.see = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, WORDS * SYMBOLS))

    def forward(self, image):
        logits = self.see(image).view(-1, WORDS, SYMBOLS)
        soft = logits.softmax(-1)
        return F.one_hot(soft.argmax(-1), SYMBOLS) + soft - soft.detach()


class Listener(nn.Module):
    def __init__(self):
        super().__init__()
        self.read = nn.Linear(SYMBOLS, 32)
        self.answer = nn.Sequential(nn.Linear(32 * WORDS, 64), nn.ReLU(), nn.Linear(64, 10))

    def forward(self, message):
        return self.answer(self.read(message.float()).flatten(1))


def play(speaker, listener, x, y):
    message = speaker(x)
    logits = listener(message)
    return F.cross_entropy(logits, y), (logits.argmax(1) == y).float().mean().item()


def main(seed=0):
    torch.manual_seed(seed)
    x, y = load_digits(return_X_y=True)
    xa, xb, ya, yb = train_test_split(x / 16, y, test_size=0.25, random_state=seed, stratify=y)
    xa, xb = torch.tensor(xa).float(), torch.tensor(xb).float()
    ya, yb = torch.tensor(ya), torch.tensor(yb)
    speaker, listener = Speaker(), Listener()
    players = nn.ModuleDict({"speaker": speaker, "listener": listener})
    opt = torch.optim.Adam(players.parameters(), lr=2e-3)
    for game in range(1500):
        rows = torch.randint(0, len(xa), (64,))
        loss, score = play(speaker, listener, xa[rows], ya[rows])
        opt.zero_grad()
        loss.backward()
        opt.step()
        if game % 250 == 0:
            print(f"game {game:4d}  loss {loss.item():.3f}  right {score:.2f}")
    with torch.no_grad():
        _, score = play(speaker, listener, xb, yb)
    print(f"right answers about unseen digits: {score:.3f}")


main()
