import torch
import torch.nn.functional as F
from sklearn.datasets import load_iris

torch.manual_seed(0)
iris = load_iris()
X = torch.tensor((iris.data - iris.data.mean(0)) / iris.data.std(0), dtype=torch.float32)
y = torch.tensor(iris.target)
params = {
    "w1": torch.randn(4, 20) / 2, "b1": torch.zeros(20),
    "w2": torch.randn(20, 3) / 20**0.5, "b2": torch.zeros(3),
}
for p in params.values():
    p.requires_grad_()
lr = 0.2
for epoch in range(400):
    h = torch.tanh(torch.addmm(params["b1"], X, params["w1"]))
    loss = F.cross_entropy(torch.addmm(params["b2"], h, params["w2"]), y)
    grads = torch.autograd.grad(loss, list(params.values()))
    with torch.no_grad():
        for p, g in zip(params.values(), grads):
            p.sub_(lr * g)
    if epoch % 50 == 0:
        print(epoch, loss.item())
