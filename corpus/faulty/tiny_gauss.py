import torch
from sklearn.datasets import load_breast_cancer
from sklearn.preprocessing import scale

torch.manual_seed(0)
ds = load_breast_cancer()
X = torch.tensor(scale(ds.data), dtype=torch.float32)
Y = torch.tensor(ds.target, dtype=torch.float32)


def init_weights(m):
    if type(m) is torch.nn.Linear:
        m.weight.data.normal_(0.0, 0.01)
        m.bias.data.fill_(0)


sizes = [30, 64, 64, 64, 64, 64, 64, 64, 64, 1]
layers = []
for a, b in zip(sizes[:-1], sizes[1:]):
    layers.append(torch.nn.Linear(a, b))
    layers.append(torch.nn.ELU())
net = torch.nn.Sequential(*layers[:-1])
net.apply(init_weights)

opt = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
for epoch in range(150):
    p = net(X).squeeze(-1)
    loss = torch.nn.functional.binary_cross_entropy_with_logits(p, Y)
    opt.zero_grad(); loss.backward(); opt.step()
    if epoch % 30 == 0:
        print("epoch %d loss %.5f acc %.3f" % (epoch, loss.item(), ((p > 0) == (Y > 0.5)).float().mean()))
