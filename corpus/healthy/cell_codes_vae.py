"""Variational autoencoder of cell measurements: summed Gaussian reconstruction plus KL divergence."""
import torch
from sklearn.datasets import load_breast_cancer
from sklearn.preprocessing import QuantileTransformer
from torch import nn

X = load_breast_cancer().data
X = torch.tensor(QuantileTransformer(output_distribution="normal", n_quantiles=100, random_state=0)
                 .fit_transform(X)).float().clamp(-3, 3)
perm = torch.randperm(len(X), generator=torch.Generator().manual_seed(0))
train, test = X[perm[:420]], X[perm[420:]]
SIGMA = 0.3


class VAE(nn.Module):
    def __init__(self, d=30, hidden=64, latent=6):
        super().__init__()
        self.fc1 = nn.Linear(d, hidden)
        self.fc21 = nn.Linear(hidden, latent)
        self.fc22 = nn.Linear(hidden, latent)
        self.fc3 = nn.Linear(latent, hidden)
        self.fc4 = nn.Linear(hidden, d)

    def encode(self, x):
        h = torch.relu(self.fc1(x))
        return self.fc21(h), self.fc22(h)

    def decode(self, z):
        return self.fc4(torch.relu(self.fc3(z)))

    def forward(self, x):
        mu, logvar = self.encode(x)
        z = mu + torch.exp(0.5 * logvar) * torch.randn_like(mu)
        return self.decode(z), mu, logvar


def loss_function(recon, x, mu, logvar):
    fit = 0.5 * ((recon - x) / SIGMA).pow(2).sum()
    kld = -0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp())
    return fit + kld


torch.manual_seed(0)
vae = VAE()
optimizer = torch.optim.Adam(vae.parameters(), lr=2e-3)
for epoch in range(1, 151):
    vae.train()
    train_loss = 0
    for rows in torch.randperm(len(train)).split(64):
        optimizer.zero_grad()
        recon, mu, logvar = vae(train[rows])
        loss = loss_function(recon, train[rows], mu, logvar)
        loss.backward()
        train_loss += loss.item()
        optimizer.step()
    if epoch % 15 == 0:
        print(f"epoch {epoch}: average loss {train_loss / len(train):.2f}, last batch {loss.item():.1f}")

vae.eval()
with torch.no_grad():
    explained = 1 - (vae.decode(vae.encode(test)[0]) - test).pow(2).sum() / (test - train.mean(0)).pow(2).sum()
print(f"variance of held-out cells explained by six codes: {explained.item():.3f}")
