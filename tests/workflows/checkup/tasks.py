"""Small targets of all kinds, as a user's file would have them; none imports gradclinic."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint
from torch.utils.data import DataLoader, TensorDataset

GENERATOR = torch.Generator().manual_seed(0)
X = torch.randn(256, 8, generator=GENERATOR)
Y = (X @ torch.randn(8, 4, generator=GENERATOR)).argmax(1)


def batches() -> Iterator[tuple[Tensor, Tensor]]:
    for rows in torch.arange(256).split(32):
        yield X[rows], Y[rows]


def cross_entropy(model: nn.Module, batch: tuple[Tensor, Tensor]) -> Tensor:
    return F.cross_entropy(model(batch[0]), batch[1])


def made(model: nn.Module, lr: float = 0.01, steps: int = 300, **change: Any) -> dict[str, Any]:
    parts: dict[str, Any] = {
        "model": model,
        "batches": batches,
        "loss": cross_entropy,
        "optimizer": lambda p: torch.optim.Adam(p, lr),
        "steps": steps,
    }
    return parts | change


def plain(*between: Callable[[], nn.Module], act: Callable[[], nn.Module] = nn.ReLU, depth: int = 1) -> nn.Sequential:
    layers: list[nn.Module] = [nn.Linear(8, 32), act()]
    for _ in range(depth):
        layers += [nn.Linear(32, 32), *(make() for make in between), act()]
    return nn.Sequential(*layers, nn.Linear(32, 4))


def healthy() -> dict[str, Any]:
    return made(plain())


def deep_sigmoid() -> dict[str, Any]:
    return made(plain(act=nn.Sigmoid, depth=16))


def too_slow() -> dict[str, Any]:
    return made(plain(), lr=1e-8)


def too_fast() -> dict[str, Any]:
    return made(plain(), optimizer=lambda p: torch.optim.SGD(p, 1e4))


def dropout_and_norm() -> dict[str, Any]:
    return made(plain(lambda: nn.BatchNorm1d(32), lambda: nn.Dropout(0.2)))


class Doubled(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return 2 * x

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Tensor:
        return 2 * grads[0]


class Custom(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = Doubled.apply(x)
        return out


def custom_function() -> dict[str, Any]:
    return made(plain(Custom))


class Checkpointed(nn.Module):
    def __init__(self, reentrant: bool) -> None:
        super().__init__()
        self.first, self.rest, self.reentrant = nn.Linear(8, 32), plain(), reentrant
        self.rest[0] = nn.Linear(32, 32)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = checkpoint(self.rest, self.first(x).relu(), use_reentrant=self.reentrant)
        return out


class Hooked(nn.Module):
    """A hook on its output turns the gradient round; the function check of a run does not see it."""

    def forward(self, x: Tensor) -> Tensor:
        out = x.tanh()
        if out.requires_grad:
            out.register_hook(lambda gradient: -gradient)
        return out


def hooked() -> dict[str, Any]:
    return made(plain(Hooked))


class Halved(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return x**2

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Tensor:
        return grads[0] * ctx.saved_tensors[0]


class Square(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = Halved.apply(x)
        return out


def wrong_function() -> dict[str, Any]:
    return made(plain(Square))


def checkpointed() -> dict[str, Any]:
    return made(Checkpointed(False))


def checkpointed_reentrant() -> dict[str, Any]:
    return made(Checkpointed(True))


@dataclass
class Output:
    logits: Tensor
    hidden: tuple[Tensor, ...]


class Words(nn.Module):
    """Integer inputs, two of them, and a dataclass out."""

    def __init__(self) -> None:
        super().__init__()
        self.embed, self.head = nn.Embedding(16, 16), nn.Linear(16, 4)

    def forward(self, tokens: Tensor, weights: Tensor | None = None) -> Output:
        each = self.embed(tokens)
        pooled = each.mean(1) if weights is None else (each * weights.unsqueeze(-1)).sum(1)
        return Output(self.head(pooled), (each, pooled))


def several_inputs() -> dict[str, Any]:
    tokens = torch.randint(0, 16, (256, 6), generator=torch.Generator().manual_seed(1))

    def pairs() -> Iterator[dict[str, Tensor]]:
        for rows in torch.arange(256).split(32):
            yield {"tokens": tokens[rows], "weights": torch.full((32, 6), 1 / 6), "labels": tokens[rows, 0] % 4}

    def loss(model: nn.Module, batch: dict[str, Tensor]) -> Tensor:
        return F.cross_entropy(model(batch["tokens"], weights=batch["weights"]).logits, batch["labels"])

    return made(Words(), lr=0.05, batches=pairs, loss=loss)


def mixed_precision() -> dict[str, Any]:
    def loss(model: nn.Module, batch: tuple[Tensor, Tensor]) -> Tensor:
        with torch.autocast("cpu", torch.bfloat16):
            return cross_entropy(model, batch)

    return made(plain(), loss=loss)


def in_bfloat16() -> dict[str, Any]:
    return made(plain().bfloat16(), loss=lambda m, b: F.cross_entropy(m(b[0].bfloat16()).float(), b[1]))


def wrapped_by_compile() -> dict[str, Any]:
    return made(torch.compile(plain(), backend="eager"))  # type: ignore[arg-type]


def loaded() -> dict[str, Any]:
    data = DataLoader(TensorDataset(X, Y), 32, shuffle=True, num_workers=1)
    return made(plain(), batches=lambda: iter(data))


class Extra(nn.Sequential):
    """Its state is not tensors alone."""

    def get_extra_state(self) -> dict[str, int]:
        return {"version": 3}

    def set_extra_state(self, state: dict[str, int]) -> None:
        assert state == {"version": 3}


def extra_state() -> dict[str, Any]:
    return made(Extra(*plain()), optimizer=lambda p: torch.optim.SGD(p, 1e4))


def doubling(in_place: bool) -> dict[str, Any]:
    """A loss that scales its batch, as one would a fresh one from a loader, in place or not."""

    def fresh() -> Iterator[tuple[Tensor, Tensor]]:
        for x, y in batches():
            yield x.clone(), y

    def loss(model: nn.Module, batch: tuple[Tensor, Tensor]) -> Tensor:
        x = batch[0].mul_(2) if in_place else batch[0] * 2
        return F.cross_entropy(model(x), batch[1])

    return made(plain(), batches=fresh, loss=loss)


def lbfgs() -> dict[str, Any]:
    """On all the data at once: with a batch at a time its line searches disagree."""
    return made(plain(), batches=lambda: iter([(X, Y)]), optimizer=lambda p: torch.optim.LBFGS(p, 0.5, max_iter=4))


def muon() -> dict[str, Any]:
    return made(nn.Sequential(nn.Linear(8, 32, bias=False), nn.ReLU(), nn.Linear(32, 4, bias=False)),
                optimizer=lambda p: torch.optim.Muon(p, 0.02))  # fmt: skip


def values() -> Tensor:
    """(256, 1) of order 1, with mean 0."""
    return torch.sin(X[:, :1] + X[:, 1:2])


def regression(targets: Callable[[Tensor], Tensor], **change: Any) -> dict[str, Any]:
    """Numbers predicted from X with a squared error; by Adam at the rate 1e-3 in 1000 steps."""
    y = targets(values())
    model = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 1))

    def pairs() -> Iterator[tuple[Tensor, Tensor]]:
        for rows in torch.arange(256).split(32):
            yield X[rows], y[rows]

    def loss(model: nn.Module, batch: tuple[Tensor, Tensor]) -> Tensor:
        return F.mse_loss(model(batch[0]), batch[1])

    return made(model, lr=1e-3, steps=1000, **({"batches": pairs, "loss": loss} | change))


class Times(nn.Module):
    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, x: Tensor) -> Tensor:
        return x * self.factor


def pixels(*first: nn.Module) -> dict[str, Any]:
    """Inputs from 0 to 255, given to ``first`` and then to the model."""

    def pairs() -> Iterator[tuple[Tensor, Tensor]]:
        for x, y in batches():
            yield (60 * x + 128).clamp(0, 255), y

    return made(nn.Sequential(*first, *plain()), lr=1e-3, batches=pairs)


def wide_head(factor: float) -> dict[str, Any]:
    """The last layer's weights are ``factor`` times their default."""
    model = plain()
    with torch.no_grad():
        model[-1].weight.mul_(factor)
    return made(model)


def in_float16(*between: nn.Module) -> dict[str, Any]:
    model = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), *between, nn.Linear(32, 4)).half()

    def loss(model: nn.Module, batch: tuple[Tensor, Tensor]) -> Tensor:
        return F.cross_entropy(model(batch[0].half()).float(), batch[1])

    return made(model, loss=loss, optimizer=lambda p: torch.optim.SGD(p, 0.1))


def adversary() -> dict[str, Any]:
    return made(nn.Linear(8, 1), loss=lambda m, b: -m(b[0]).mean())


def compiled() -> dict[str, Any]:
    model = plain()
    model.compile(backend="eager")
    return made(model)


def frozen_part() -> dict[str, Any]:
    model = plain()
    model[0].requires_grad_(False)
    return made(model)


def only_parts() -> dict[str, Any]:
    """The loss never calls the model itself."""

    def loss(model: nn.Module, batch: tuple[Tensor, Tensor]) -> Tensor:
        out = batch[0]
        for layer in model.children():
            out = layer(out)
        return F.cross_entropy(out, batch[1])

    return made(plain(), loss=loss)


def detached() -> dict[str, Any]:
    return made(plain(), loss=lambda m, b: F.cross_entropy(m(b[0]).detach(), b[1]))


def raising() -> dict[str, Any]:
    return made(plain(), loss=lambda m, b: m(b[0][:, :3]).sum())


def no_batch() -> dict[str, Any]:
    return made(plain(), batches=lambda: iter(()))


def no_task() -> int:
    return 3
