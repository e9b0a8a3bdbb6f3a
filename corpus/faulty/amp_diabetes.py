import argparse

import torch
from sklearn.datasets import load_diabetes
from torch import nn


def get_data():
    raw = load_diabetes()
    x = torch.tensor(raw.data, dtype=torch.float32)
    x = (x - x.mean(0)) / x.std(0)
    y = torch.tensor(raw.target, dtype=torch.float32) / 100
    return x, y


def train(args):
    torch.manual_seed(args.seed)
    x, y = get_data()
    model = nn.Sequential(nn.Linear(10, 64), nn.SiLU(), nn.Linear(64, 64), nn.SiLU(), nn.Linear(64, 1))
    optimizer = torch.optim.AdamW(model.parameters(), lr=args.lr)
    scaler = torch.amp.GradScaler("cpu")
    criterion = nn.MSELoss()
    for epoch in range(args.epochs):
        losses = []
        for rows in torch.randperm(len(x)).split(args.batch):
            optimizer.zero_grad()
            with torch.autocast("cpu", dtype=torch.float16):
                pred = model(x[rows]).squeeze(1)
            loss = criterion(pred.float(), y[rows])
            scaler.scale(loss).backward()
            scaler.step(optimizer)
            optimizer.step()
            scaler.update()
            losses.append(loss.item())
        if epoch % 5 == 4:
            print(f"[{epoch + 1:3d}/{args.epochs}] mse {sum(losses) / len(losses):.4f} (variance {y.var().item():.4f})")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--lr", type=float, default=1e-3)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--epochs", type=int, default=40)
    train(parser.parse_args())
