import random

import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(0)
random.seed(0)
SOS, N_TOKENS, SEQ = 10, 11, 5


class EncoderRNN(nn.Module):
    def __init__(self, hidden_size):
        super().__init__()
        self.embedding = nn.Embedding(N_TOKENS, hidden_size)
        self.gru = nn.GRU(hidden_size, hidden_size, batch_first=True)

    def forward(self, x):
        return self.gru(self.embedding(x))


class DecoderRNN(nn.Module):
    def __init__(self, hidden_size):
        super().__init__()
        self.embedding = nn.Embedding(N_TOKENS, hidden_size)
        self.gru = nn.GRU(hidden_size, hidden_size, batch_first=True)
        self.out = nn.Linear(hidden_size, N_TOKENS)

    def forward(self, hidden, target=None):
        token = torch.full((hidden.size(1), 1), SOS)
        outputs = []
        for t in range(SEQ):
            step, hidden = self.gru(F.relu(self.embedding(token)), hidden)
            logits = self.out(step)
            outputs.append(logits)
            token = target[:, t:t + 1] if target is not None else logits.argmax(-1)
        return torch.cat(outputs, 1)


def train(encoder, decoder, n_iters, print_every=100, learning_rate=5e-3):
    encoder_optimizer = torch.optim.Adam(encoder.parameters(), lr=learning_rate)
    decoder_optimizer = torch.optim.Adam(decoder.parameters(), lr=learning_rate)
    criterion = nn.CrossEntropyLoss()
    total = 0.0
    for it in range(1, n_iters + 1):
        encoder_optimizer.zero_grad()
        decoder_optimizer.zero_grad()
        source = torch.randint(0, 10, (64, SEQ))
        target = source.flip(1)
        _, hidden = encoder(source)
        outputs = decoder(hidden, target if random.random() < 0.7 else None)
        loss = criterion(outputs.reshape(-1, N_TOKENS), target.reshape(-1))
        loss.backward()
        encoder_optimizer.step()
        decoder_optimizer.step()
        total += loss.item()
        if it % print_every == 0:
            print(f"{it} ({100 * it // n_iters}%) {total / print_every:.4f}")
            total = 0.0


encoder, decoder = EncoderRNN(64), DecoderRNN(64)
train(encoder, decoder, 1000)
with torch.no_grad():
    source = torch.randint(0, 10, (500, SEQ))
    guess = decoder(encoder(source)[1]).argmax(-1)
print("tokens right:", (guess == source.flip(1)).float().mean().item())
