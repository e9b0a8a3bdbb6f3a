from sklearn.datasets import make_blobs
import torch

torch.manual_seed(2)
X, y = make_blobs(n_samples=1000, centers=3, n_features=2, cluster_std=2, random_state=2)
X = torch.tensor(X, dtype=torch.float)
y = torch.tensor(y)
trainX, testX = X[:500], X[500:]
trainy, testy = y[:500], y[500:]

dims = [2] + [50] * 11
modules = []
for i in range(11):
    modules.append(torch.nn.Linear(dims[i], dims[i + 1]))
    modules.append(torch.nn.Sigmoid())
modules.append(torch.nn.Linear(50, 3))
model = torch.nn.Sequential(*modules)

opt = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
criterion = torch.nn.CrossEntropyLoss()


def evaluate():
    with torch.no_grad():
        return (model(testX).argmax(dim=1) == testy).float().mean().item()


history = {"loss": [], "acc": []}
for epoch in range(30):
    ep = 0.0
    for batch in torch.randperm(500).split(32):
        out = model(trainX[batch])
        loss = criterion(out, trainy[batch])
        model.zero_grad()
        loss.backward()
        opt.step()
        ep += loss.item() * len(batch) / 500
    history["loss"].append(ep)
    history["acc"].append(evaluate())

print("loss", [round(v, 3) for v in history["loss"][::5]])
print("acc ", [round(v, 3) for v in history["acc"][::5]])
print("final", round(history["loss"][-1], 4), history["acc"][-1])
