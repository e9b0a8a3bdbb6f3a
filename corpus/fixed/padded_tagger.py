"""BiLSTM tagger; padding is labelled -100."""
import torch
from torch import nn

torch.manual_seed(3)
PAD, TAGS, VOCAB = -100, 5, 40


class Tagger(nn.Module):
    def __init__(self):
        super().__init__()
        self.emb = nn.Embedding(VOCAB, 24)
        self.lstm = nn.LSTM(24, 24, bidirectional=True, batch_first=True)
        self.fc = nn.Linear(48, TAGS)

    def forward(self, x):
        return self.fc(self.lstm(self.emb(x))[0])


model = Tagger()
opt = torch.optim.Adam(model.parameters(), lr=5e-3)
for step in range(200):
    words = torch.randint(0, VOCAB, (4, 15))
    tags = words % TAGS
    lengths = torch.randint(3, 16, (4,))
    if step == 70:
        lengths = torch.zeros(4, dtype=torch.long)  # a chunk of empty documents
    tags[torch.arange(15)[None] >= lengths[:, None]] = PAD
    mask = (tags != PAD).float()
    log_prob = model(words).log_softmax(-1).gather(2, tags.clamp(min=0).unsqueeze(2)).squeeze(2)
    loss = -(log_prob * mask).sum() / mask.sum().clamp(min=1)
    opt.zero_grad()
    loss.backward()
    opt.step()
    if step % 10 == 0:
        print("step", step, "loss", loss.item())
