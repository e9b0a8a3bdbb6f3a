"""Power draw of a park of machines: shared physics plus what is particular to each machine."""
import torch
from torch import nn


def readings(n, traits, gen):
    who = torch.randint(0, len(traits), (n,), generator=gen)
    load = torch.rand(n, 3, generator=gen)
    a, b, c = traits[who].unbind(1)
    power = a + b * load[:, 0] + c * torch.sin(3 * load[:, 1]) + load[:, 0] * load[:, 2]
    return who, load, power + 0.05 * torch.randn(n, generator=gen)


class ParkModel(nn.Module):
    def __init__(self, trait_dim=6, width=48):
        super().__init__()
        self.trait_dim = trait_dim
        self.traits = nn.ParameterDict()
        self.body = nn.Sequential(
            nn.Linear(3 + trait_dim, width), nn.GELU(), nn.Linear(width, width), nn.GELU(), nn.Linear(width, 1)
        )

    def trait(self, machine):
        name = f"m{machine}"
        if name not in self.traits:
            self.traits[name] = nn.Parameter(torch.zeros(self.trait_dim))
        return self.traits[name]

    def forward(self, who, load):
        own = torch.stack([self.trait(m) for m in who.tolist()])
        return self.body(torch.cat([load, own], dim=1)).squeeze(1)


gen = torch.Generator().manual_seed(5)
torch.manual_seed(0)
machines = 25
hidden = torch.randn(machines, 3, generator=gen)
who, load, power = readings(2000, hidden, gen)
who_test, load_test, power_test = readings(500, hidden, gen)

model = ParkModel()
optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
for epoch in range(20):
    total = 0.0
    for idx in torch.randperm(2000).split(50):
        loss = nn.functional.mse_loss(model(who[idx], load[idx]), power[idx])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() / 40
    if epoch % 4 == 0:
        print(f"epoch {epoch:2d}  mse {total:.4f}  machines known {len(model.traits)}")
with torch.no_grad():
    rest = (model(who_test, load_test) - power_test).var() / power_test.var()
print(f"held-out R2 {1 - rest.item():.3f}")
