"""Recurrences: the adding problem, temporal order, digits by row and by pixel."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gradclinic.task import Task

from .. import data
from ..layers import initialise
from ..loop import ADAM, Loop, training
from ..row import Row

BENGIO = "Bengio et al. 1994; Hochreiter and Schmidhuber 1997; Pascanu et al. 2013, arXiv:1211.5063"
CELLS = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}
GOOD = {"cell": "gru", "init": "default", "forget": None, "scale": 1.0, "layers": 1, "act": "tanh"}
BETTER = (GOOD | {"loop": Loop("adam", 3e-3, clip=1.0)}, GOOD | {"loop": Loop("adam", 1e-2, clip=1.0)})


class Recurrent(nn.Module):
    """The last state answers."""

    def __init__(self, cell: str, act: str, inputs: int, outputs: int, width: int, layers: int) -> None:
        super().__init__()
        more = {"nonlinearity": act} if cell == "rnn" else {}
        self.cell = CELLS[cell](inputs, width, layers, batch_first=True, **more)
        self.head = nn.Linear(width, outputs)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, steps, inputs) to (batch, outputs)."""
        out: Tensor = self.head(self.cell(x)[0][:, -1])
        return out


def build(
    steps: int,
    source: str,
    cell: str = "rnn",
    act: str = "tanh",
    width: int = 24,
    layers: int = 1,
    init: str = "default",
    forget: float | None = None,
    scale: float = 1.0,
    loop: Loop = ADAM,
) -> Task:
    """``forget``: the bias of an LSTM's forget gates."""
    own = data.find(source).scaled(inputs=scale)
    model = Recurrent(cell, act, own.inputs.shape[-1], own.outputs, width, layers)
    initialise(model, init)
    if forget is not None:
        with torch.no_grad():
            for name, bias in model.cell.named_parameters():
                if name.startswith("bias"):
                    bias[width : 2 * width] = forget / 2
    return training(model, own, loop, steps)


def row(name: str, steps: int, source: str, **options: object) -> Row:
    """A row of this family."""
    return Row(f"recurrent-{name}", "recurrent", BENGIO, steps, build, {"source": source} | options, BETTER)


ROWS = (
    row("adding-rnn", 2000, "adding 24", loop=Loop("sgd", 0.01)),
    row("adding-lstm", 2000, "adding 20", cell="lstm", forget=-6.0, loop=Loop("sgd", 0.02)),
    row("adding-rate-low", 2000, "adding 12", cell="gru", loop=Loop("adam", 1e-5)),
    row("order-rnn", 1500, "order 20", loop=Loop("sgd", 0.01)),
    row("order-lstm", 1500, "order 20", cell="lstm", init="tiny", forget=-3.0, loop=Loop("sgd", 0.1)),
    row("order-gru-rate-high", 1500, "order 20", cell="gru", loop=Loop("adam", 1.0)),
    row("rows-rate-low", 2000, "digit_rows", loop=Loop("sgd", 1e-4)),
    row("pixels-large", 1500, "digit_pixels", init="large", loop=Loop("sgd", 0.05)),
    row("rows-relu-unit", 2000, "digit_rows", act="relu", init="unit", loop=Loop("sgd", 0.01)),
    row("rows-four-layers", 1500, "digit_rows", cell="lstm", layers=4, loop=Loop("sgd", 0.05)),
    row("rows-255", 2000, "digit_rows", scale=255.0, loop=Loop("adam", 1e-3)),
    row("pixels-rnn", 1500, "digit_pixels", loop=Loop("sgd", 0.01)),
)
