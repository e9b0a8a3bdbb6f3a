import torch
from sklearn.datasets import load_digits

torch.manual_seed(0)
X = torch.tensor(load_digits().data / 16, dtype=torch.float32)
encoder = torch.nn.Sequential(torch.nn.Linear(64, 48), torch.nn.ReLU(), torch.nn.Linear(48, 12))
decoder = torch.nn.Sequential(torch.nn.Linear(12, 48), torch.nn.ReLU(), torch.nn.Linear(48, 64), torch.nn.Sigmoid())
optimizer = torch.optim.Adam([{"params": encoder.parameters()}, {"params": decoder.parameters(), "lr": 2e-3}], lr=3e-3)
for epoch in range(30):
    for xb in X[torch.randperm(len(X))].split(100):
        loss = torch.nn.functional.mse_loss(decoder(encoder(xb)), xb)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    if epoch % 5 == 4:
        print("epoch", epoch + 1, "mse", loss.item(), "variance", X.var(0).mean().item())
