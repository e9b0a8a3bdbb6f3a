"""Character counting: the encoder's summary is handed to the classifier."""
import torch
from torch import nn

torch.manual_seed(0)
encoder = nn.LSTM(6, 32, batch_first=True)
embed = nn.Embedding(6, 6)
classifier = nn.Sequential(nn.Linear(32, 32), nn.GELU(), nn.Linear(32, 6))
opt = torch.optim.Adam([*embed.parameters(), *encoder.parameters(), *classifier.parameters()], lr=3e-3)
cache = {}
for step in range(400):
    seq = torch.randint(0, 6, (64, 12))
    answer = torch.nn.functional.one_hot(seq, 6).sum(1).argmax(1)
    _, (h, c) = encoder(embed(seq))
    cache["summary"] = h[-1]
    loss = nn.functional.cross_entropy(classifier(cache["summary"]), answer)
    opt.zero_grad()
    loss.backward()
    opt.step()
    if step % 50 == 0:
        print(step, loss.item())
