"""Pretrained weights: a network that has met the digits 0 to 4 learns 5 to 9 from five examples of each.

    gradclinic treat examples/treat/transfer.py:task     # are the old weights worth anything, and at which rates?
    python examples/treat/transfer.py                    # from scratch and transferred, six times

``gradclinic.transfer`` loads what fits and measures how fast each layer may learn; a treatment tries the same beside
everything else when a task names a file of weights.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import gettempdir
from typing import Any

import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import Tensor, nn

import gradclinic

#: Much longer before, and the network knows what tells 0 to 4 apart and nothing else; much longer after, and it learns
#: 5 to 9 from scratch as well.
SHOTS, BEFORE, STEPS = 5, 60, 20
HEAD = "9."


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


def training(x: Tensor, y: Tensor, steps: int, **more: Any) -> gradclinic.Task:
    def batches() -> Iterator[tuple[Tensor, Tensor]]:
        for rows in torch.randperm(len(x)).split(10):
            yield x[rows], y[rows]

    return gradclinic.Task(
        network(),
        batches,
        lambda model, batch: F.cross_entropy(model(batch[0]), batch[1]),
        lambda parameters: torch.optim.SGD(parameters, lr=0.05, momentum=0.9),
        steps,
        **more,
    )


def train(task: gradclinic.Task, model: nn.Module, optimizer: torch.optim.Optimizer) -> None:
    stream = task.stream()
    for _ in range(task.steps):
        optimizer.zero_grad()
        task.loss(model, next(stream)).backward()
        optimizer.step()


def digits() -> tuple[Tensor, Tensor]:
    pixels, labels = load_digits(return_X_y=True)
    return torch.tensor(pixels / 16, dtype=torch.float32), torch.tensor(labels)


def weights(seed: int = 0) -> dict[str, Tensor]:
    """Of a network that has learned 0 to 4, its head apart."""
    x, y = digits()
    torch.manual_seed(seed)
    first = training(x[y < 5], y[y < 5], BEFORE)
    train(first, first.model, first.new_optimizer())
    return {name: value for name, value in first.model.state_dict().items() if not name.startswith(HEAD)}


def few(seed: int, steps: int = STEPS, **more: Any) -> gradclinic.Task:
    """Five examples of each of 5 to 9; the metric is the accuracy on those that nobody was shown."""
    x, y = digits()
    shuffled = torch.randperm(len(x), generator=torch.Generator().manual_seed(seed))
    shown = torch.cat([shuffled[y[shuffled] == digit][:SHOTS] for digit in range(5, 10)])
    unseen = (y >= 5).index_fill(0, shown, value=False)

    def accuracy(model: nn.Module) -> float:
        with torch.no_grad():
            return float((model(x[unseen]).argmax(1) == y[unseen] - 5).float().mean())

    return training(x[shown], y[shown] - 5, steps, metric=accuracy, **more)


def task() -> gradclinic.Task:
    """For ``gradclinic treat``: the weights lie in a file, as they would."""
    path = Path(gettempdir()) / "digits-0-to-4.pt"
    if not path.exists():
        with torch.random.fork_rng():
            torch.save(weights(), path)
    return few(seed=0, steps=200, pretrained=path)


def compare(seed: int) -> tuple[float, float, str]:
    """Accuracy from scratch, and transferred; and the report."""
    state = weights(seed)
    torch.manual_seed(seed)
    scratch = few(seed)
    train(scratch, scratch.model, scratch.new_optimizer())
    torch.manual_seed(seed)
    second = few(seed)
    found = gradclinic.transfer(second, state)
    model, optimizer = found.recipe.apply(second.model, second.new_optimizer())
    train(second, model, optimizer)
    return scratch.metric(scratch.model), second.metric(model), str(found)


if __name__ == "__main__":
    results = [compare(seed) for seed in range(6)]
    print(results[0][2])
    for name, place in (("from scratch", 0), ("transferred", 1)):
        values = torch.tensor([result[place] for result in results])
        print(f"{name:<13} {values.mean():.1%} ± {values.std():.1%}")
