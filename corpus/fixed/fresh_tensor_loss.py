import torch
from sklearn.datasets import load_diabetes

torch.manual_seed(0)
bunch = load_diabetes()
x = torch.tensor(bunch.data, dtype=torch.float32) * 20
y = torch.tensor((bunch.target - bunch.target.mean()) / bunch.target.std(), dtype=torch.float32)

model = torch.nn.Sequential(torch.nn.Linear(10, 32), torch.nn.ReLU(), torch.nn.Linear(32, 1))
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)


def huber(pred, true, delta=1.0):
    err = torch.abs(pred - true)
    return torch.where(err < delta, 0.5 * err**2, delta * (err - 0.5 * delta)).mean()


for epoch in range(100):
    pred = model(x).squeeze(1)
    loss = huber(pred, y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if epoch % 10 == 0:
        print(epoch, loss.item())
