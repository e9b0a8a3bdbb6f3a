import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.distributions import Categorical

torch.manual_seed(0)
d = load_digits()
images = torch.tensor(d.images / 16.0, dtype=torch.float32).unsqueeze(1)
truth = torch.tensor(d.target)
train_x, train_y, test_x, test_y = images[:1400], truth[:1400], images[1400:], truth[1400:]


def layer_init(layer, std=2 ** 0.5, bias=0.0):
    nn.init.orthogonal_(layer.weight, std)
    nn.init.constant_(layer.bias, bias)
    return layer


class Agent(nn.Module):
    def __init__(self):
        super().__init__()
        self.trunk = nn.Sequential(
            layer_init(nn.Conv2d(1, 16, 3, stride=2, padding=1)), nn.ReLU(),
            layer_init(nn.Conv2d(16, 32, 3, padding=1)), nn.ReLU(),
            nn.Flatten(), layer_init(nn.Linear(512, 64)), nn.ReLU())
        self.actor = layer_init(nn.Linear(64, 10), std=0.01)
        self.critic = layer_init(nn.Linear(64, 1), std=1.0)

    def forward(self, x):
        z = self.trunk(x)
        return Categorical(logits=self.actor(z)), self.critic(z).squeeze(-1)


agent = Agent()
opt = torch.optim.Adam(agent.parameters(), lr=1e-3, eps=1e-5)
recent = 0.0
for update in range(1000):
    i = torch.randint(len(train_x), (64,))
    pi, value = agent(train_x[i])
    action = pi.sample()
    reward = (action == train_y[i]).float()
    advantage = (reward - value).detach()
    policy_loss = -(pi.log_prob(action) * advantage).mean()
    value_loss = (value - reward).pow(2).mean()
    loss = policy_loss + 0.5 * value_loss - 0.01 * pi.entropy().mean()
    opt.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(agent.parameters(), 0.5)
    opt.step()
    recent = 0.98 * recent + 0.02 * reward.mean().item()
    if update % 250 == 249:
        print(f"update {update + 1}  loss {loss.item():.4f}  mean reward {recent:.3f}")
with torch.no_grad():
    print("greedy reward on new images:", (agent(test_x)[0].probs.argmax(1) == test_y).float().mean().item())
