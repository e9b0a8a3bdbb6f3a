"""Pretrained weights: a network that has met the digits 0 to 4 learns 5 to 9 from five examples of each in
20 steps.

    python examples/treat/transfer.py

The same network from scratch, and from the pretrained weights with a start for each layer that gradclinic measures.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import Tensor, nn

from gradclinic import Task
from gradclinic.treat.pretrained import transfer

#: Much longer before, and the network knows what tells 0 to 4 apart and nothing else; much longer after, and it learns
#: 5 to 9 from scratch as well.
SHOTS, BEFORE, STEPS = 5, 60, 20


def network() -> nn.Module:
    return nn.Sequential(
        nn.Unflatten(1, (1, 8, 8)),
        nn.Conv2d(1, 16, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(16, 32, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(32, 32, 3, padding=1),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(512, 5),
    )


def task(x: Tensor, y: Tensor, steps: int) -> Task:
    def batches() -> Iterator[tuple[Tensor, Tensor]]:
        for rows in torch.randperm(len(x)).split(10):
            yield x[rows], y[rows]

    return Task(
        network(),
        batches,
        lambda model, batch: F.cross_entropy(model(batch[0]), batch[1]),
        lambda parameters: torch.optim.SGD(parameters, lr=0.05, momentum=0.9),
        steps,
    )


def train(task: Task, model: nn.Module, optimizer: torch.optim.Optimizer) -> None:
    stream = task.stream()
    for _ in range(task.steps):
        optimizer.zero_grad()
        task.loss(model, next(stream)).backward()
        optimizer.step()


def compare(seed: int) -> tuple[float, float, str]:
    """Accuracy on the digits 5 to 9 that nobody was shown: from scratch, and transferred; and the report."""
    torch.manual_seed(seed)
    pixels, digits = load_digits(return_X_y=True)
    x, y = torch.tensor(pixels / 16, dtype=torch.float32), torch.tensor(digits)
    first = task(x[y < 5], y[y < 5], BEFORE)
    train(first, first.model, first.new_optimizer())
    state = {name: value for name, value in first.model.state_dict().items() if not name.startswith("9.")}

    shuffled = torch.randperm(len(x))
    shown = torch.cat([shuffled[y[shuffled] == digit][:SHOTS] for digit in range(5, 10)])
    unseen = (y >= 5).index_fill(0, shown, value=False)

    def accuracy(model: nn.Module) -> float:
        return float((model(x[unseen]).argmax(1) == y[unseen] - 5).float().mean())

    torch.manual_seed(seed)
    scratch = task(x[shown], y[shown] - 5, STEPS)
    train(scratch, scratch.model, scratch.new_optimizer())
    torch.manual_seed(seed)
    second = task(x[shown], y[shown] - 5, STEPS)
    found = transfer(second, state)
    model, optimizer = found.recipe.apply(second.model, second.new_optimizer())
    train(second, model, optimizer)
    return accuracy(scratch.model), accuracy(model), str(found)


if __name__ == "__main__":
    results = [compare(seed) for seed in range(6)]
    print(results[0][2])
    for name, place in (("from scratch", 0), ("transferred", 1)):
        values = torch.tensor([result[place] for result in results])
        print(f"{name:<13} {values.mean():.1%} ± {values.std():.1%}")
