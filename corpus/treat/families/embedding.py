"""Embeddings of letters: the next letter from a window, by a dense network (Bengio et al. 2003)."""

from __future__ import annotations

from torch import Tensor, nn

from gradclinic.task import Task

from .. import data
from ..layers import initialise
from ..loop import ADAM, Loop, training
from ..row import Row
from .dense import dense

BENGIO = "Bengio et al. 2003, A neural probabilistic language model; Mikolov et al. 2013"
GOOD = {"act": "relu", "init": "default", "spread": 1.0}
BETTER = (GOOD | {"loop": Loop("adam", 3e-3, batch=64)}, GOOD | {"loop": Loop("adam", 1e-2, batch=64)})


class Window(nn.Module):
    """The letters' vectors side by side, then dense layers."""

    def __init__(self, letters: int, window: int, width: int, depth: int, act: str) -> None:
        super().__init__()
        self.embed = nn.Embedding(letters, 8)
        self.layers = dense(8 * window, letters, depth, width, act)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, window) whole numbers."""
        out: Tensor = self.layers(self.embed(x).flatten(1))
        return out


def build(
    steps: int,
    depth: int = 1,
    width: int = 64,
    act: str = "relu",
    init: str = "default",
    spread: float = 1.0,
    loop: Loop = ADAM,
) -> Task:
    """``spread``: of the embedding's vectors."""
    own = data.letters(6, False)
    model = Window(own.outputs, 6, width, depth, act)
    nn.init.normal_(model.embed.weight, std=spread)
    initialise(model, init)
    return training(model, own, loop, steps)


def row(name: str, steps: int, **options: object) -> Row:
    """A row of this family."""
    return Row(f"embedding-{name}", "embedding", BENGIO, steps, build, options, BETTER)


ROWS = (
    row("minute", 2500, spread=1e-5, loop=Loop("sgd", 0.02, batch=64)),
    row("huge", 2500, spread=1000.0, loop=Loop("sgd", 0.01, batch=64)),
    row("deep-sigmoid", 2000, depth=6, act="sigmoid", loop=Loop("adam", 1e-3, batch=64)),
    row("rate-low", 2500, loop=Loop("sgd", 1e-3, batch=64)),
    row("rate-high", 2500, loop=Loop("adam", 0.5, batch=64)),
)
