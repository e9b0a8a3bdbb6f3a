import torch

torch.manual_seed(0)

x = torch.arange(0, 99.5, 0.5)
y = 3.0 * x + 7.0 + torch.randn(len(x))
x = (x - x.mean()) / x.std()

weight = torch.nn.Parameter(torch.zeros(1))
bias = torch.nn.Parameter(torch.zeros(1))
sgd = torch.optim.SGD([weight, bias], lr=0.5)

for step in range(200):
    prediction = weight * x + bias
    loss = ((prediction - y) ** 2).mean() / 2
    sgd.zero_grad()
    loss.backward()
    sgd.step()
    if step < 10 or step % 20 == 0:
        print(f"step {step:3d}  loss {loss.item():.5g}  w {weight.item():.4g}  b {bias.item():.4g}")
