import argparse

import torch
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch.utils.data import DataLoader, TensorDataset


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--epochs", type=int, default=20)
    p.add_argument("--lr", type=float, default=0.05)
    p.add_argument("--batch-size", type=int, default=32)
    p.add_argument("--seed", type=int, default=4)
    args = p.parse_args()
    torch.manual_seed(args.seed)

    X, y = load_breast_cancer(return_X_y=True)
    X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.25, random_state=args.seed)
    scaler = StandardScaler().fit(X_train)
    X_train = torch.tensor(scaler.transform(X_train), dtype=torch.float32)
    X_test = torch.tensor(scaler.transform(X_test), dtype=torch.float32)
    y_train = torch.tensor(y_train, dtype=torch.float32)[:, None]
    y_test = torch.tensor(y_test, dtype=torch.float32)[:, None]

    model = torch.nn.Sequential(torch.nn.Linear(30, 16), torch.nn.ReLU(), torch.nn.Linear(16, 1))
    criterion = torch.nn.BCEWithLogitsLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=args.lr, momentum=0.9)
    loader = DataLoader(TensorDataset(X_train, y_train), batch_size=args.batch_size, shuffle=True)

    for epoch in range(args.epochs):
        total = 0.0
        for xb, yb in loader:
            output = model(xb)
            loss = criterion(output, yb)
            loss.backward()
            optimizer.zero_grad()
            optimizer.step()
            total += loss.item()
        with torch.no_grad():
            acc = ((model(X_test) > 0) == (y_test > 0.5)).float().mean().item()
        print(f"Epoch {epoch + 1}/{args.epochs}, loss: {total / len(loader):.4f}, test accuracy: {acc:.4f}")


if __name__ == "__main__":
    main()
