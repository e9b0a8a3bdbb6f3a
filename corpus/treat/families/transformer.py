"""Post-norm transformers by depth: generated sequences, digits as patches, and text."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gradclinic.task import Task

from .. import data
from ..layers import initialise
from ..loop import ADAM, Loop, training
from ..row import Row

XIONG = "Xiong et al. 2020, arXiv:2002.04745; Liu et al. 2020, arXiv:2004.08249"
GOOD = {"pre_norm": True, "init": "default", "scale": 1.0}
BETTER = (GOOD | {"loop": ADAM}, GOOD | {"loop": Loop("adam", 3e-3, clip=1.0)})


class Transformer(nn.Module):
    """A stack of encoder layers over vectors or letters; the mean over places answers, or each place does."""

    def __init__(self, inputs: int, outputs: int, width: int, layers: int, pre_norm: bool, letters: bool) -> None:
        super().__init__()
        self.letters = letters
        self.embed = nn.Embedding(inputs, width) if letters else nn.Linear(inputs, width)
        self.place = nn.Parameter(0.02 * torch.randn(32, width))
        self.layers = nn.ModuleList(
            nn.TransformerEncoderLayer(width, 4, 2 * width, dropout=0.0, batch_first=True, norm_first=pre_norm)
            for _ in range(layers)
        )
        self.head = nn.Linear(width, outputs)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, places) or (batch, places, inputs)."""
        length = x.shape[1]
        hidden = self.embed(x) + self.place[:length]
        mask = torch.full((length, length), float("-inf")).triu(1) if self.letters else None
        for layer in self.layers:
            hidden = layer(hidden, src_mask=mask)
        out: Tensor = self.head(hidden if self.letters else hidden.mean(1))
        return out


def build(
    steps: int,
    source: str,
    layers: int,
    width: int = 32,
    pre_norm: bool = False,
    init: str = "default",
    scale: float = 1.0,
    loop: Loop = ADAM,
) -> Task:
    """``letters N each`` is a language model; anything else a classifier."""
    own = data.find(source)
    letters = source.startswith("letters")
    own = own if letters else own.scaled(inputs=scale)
    model = Transformer(own.outputs if letters else own.inputs.shape[-1], own.outputs, width, layers, pre_norm, letters)
    initialise(model, init)
    return training(model, own, loop, steps)


def row(name: str, steps: int, source: str, layers: int, **options: object) -> Row:
    """A row of this family."""
    shape = {"source": source, "layers": layers}
    return Row(f"transformer-{name}", "transformer", XIONG, steps, build, shape | options, BETTER)


ROWS = (
    row("patches-4", 1500, "digit_patches", 4, loop=Loop("adam", 1e-2, batch=16)),
    row("patches-6", 1500, "digit_patches", 6, loop=Loop("adam", 5e-3, batch=16)),
    row("rows-sgd", 1500, "digit_rows", 2, loop=Loop("sgd", 1e-3, batch=16)),
    row("rows-255", 1500, "digit_rows", 2, scale=255.0, loop=Loop("adam", 1e-2, batch=16)),
    row("majority-3", 1500, "majority 9", 3, loop=Loop("adam", 2e-2)),
    row("majority-rate-high", 1500, "majority 9", 2, loop=Loop("adam", 0.1)),
    row("first-4", 1500, "first 8", 4, loop=Loop("adam", 1e-2)),
    row("first-tiny", 1500, "first 8", 2, init="minute", loop=Loop("sgd", 0.01)),
    row("text-3", 1500, "letters 12 each", 3, loop=Loop("adam", 3e-2)),
    row("text-sgd", 1500, "letters 12 each", 1, loop=Loop("sgd", 1e-3)),
    row("text-large", 1500, "letters 12 each", 1, init="large", loop=Loop("adam", 1e-2)),
)
