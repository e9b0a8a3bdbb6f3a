import torch
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import StratifiedKFold
from sklearn.preprocessing import StandardScaler
from torch import nn


def make_net(n_in):
    layers, width = [], n_in
    for _ in range(5):
        lin = nn.Linear(width, 40)
        nn.init.normal_(lin.weight, std=width**-0.5)
        nn.init.zeros_(lin.bias)
        layers += [lin, nn.SELU(), nn.AlphaDropout(0.05)]
        width = 40
    return nn.Sequential(*layers, nn.Linear(width, 1), nn.Flatten(0))


def run_fold(Xtr, ytr, Xva, yva, epochs=10):
    net = make_net(Xtr.shape[1])
    opt = torch.optim.RMSprop(net.parameters(), lr=5e-4)
    for _ in range(epochs):
        net.train()
        for i in torch.randperm(len(Xtr)).split(32):
            if len(i) < 2:
                continue
            opt.zero_grad()
            loss = nn.functional.binary_cross_entropy_with_logits(net(Xtr[i]), ytr[i])
            loss.backward()
            opt.step()
    net.eval()
    with torch.no_grad():
        out = net(Xva)
        return nn.functional.binary_cross_entropy_with_logits(out, yva).item(), ((out > 0) == (yva > 0.5)).float().mean().item()


torch.manual_seed(0)
X, y = load_breast_cancer(return_X_y=True)
scores = []
for fold, (tr, va) in enumerate(StratifiedKFold(5, shuffle=True, random_state=0).split(X, y)):
    sc = StandardScaler().fit(X[tr])
    tensors = [torch.tensor(a, dtype=torch.float32) for a in (sc.transform(X[tr]), y[tr], sc.transform(X[va]), y[va])]
    val_loss, acc = run_fold(*tensors)
    scores.append(acc)
    print(f"fold {fold}: validation loss {val_loss:.4f}, accuracy {acc:.4f}")
print("mean accuracy", sum(scores) / len(scores))
