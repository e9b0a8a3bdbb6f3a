import torch
from sklearn.datasets import load_digits

torch.manual_seed(23)
dig = load_digits()
seqs = torch.tensor(dig.images, dtype=torch.float32) / 16  # eight rows of eight pixels
labs = torch.tensor(dig.target)

cell = torch.nn.RNN(8, 64, nonlinearity="tanh", batch_first=True)
head = torch.nn.Linear(64, 10)
params = [*cell.parameters(), *head.parameters()]
opt = torch.optim.NAdam(params, lr=2e-3)
nll = torch.nn.NLLLoss()

for epoch in range(16):
    for k in range(0, 1500, 50):
        _, h = cell(seqs[k:k + 50])
        loss = nll(head(h[0]).log_softmax(-1), labs[k:k + 50])
        opt.zero_grad()
        loss.backward()
        opt.step()
    print("epoch", epoch, "last batch", loss.item())

with torch.no_grad():
    _, h = cell(seqs[1500:])
    print("accuracy", (head(h[0]).argmax(-1) == labs[1500:]).float().mean().item())
