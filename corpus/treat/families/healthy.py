"""Sound tasks, of every kind: a treatment that changes them must not make them worse."""

from __future__ import annotations

from collections.abc import Callable

from gradclinic.task import Task

from ..loop import ADAM, Loop
from ..row import Row
from . import autoencoder, convolution, dense, embedding, recurrent, regression, transformer


def _row(name: str, steps: int, build: Callable[..., Task], **options: object) -> Row:
    return Row(f"healthy-{name}", "healthy", "ordinary good practice", steps, build, options, sick=False)


_TEXT = Loop("adam", 3e-3, batch=64)

ROWS = (
    _row("circles", 2000, dense.build, source="circles", depth=3, width=16, loop=Loop("adam", 5e-3)),
    _row("blobs", 2000, dense.build, source="blobs", depth=2, width=16, loop=Loop("sgd", 0.05)),
    _row("digits", 2000, dense.build, source="digits", depth=2, width=64, loop=ADAM),
    _row("digits-sgd", 2000, dense.build, source="digits", depth=2, width=64, loop=Loop("sgd", 0.2)),
    _row("digits-norm", 2000, dense.build, source="digits", depth=6, width=64, norm=True, loop=ADAM),
    _row("digits-kaiming", 1500, dense.build, source="digits", depth=8, width=64, init="kaiming", bias=0.0, loop=ADAM),
    _row("digits-tanh", 2000, dense.build, source="digits", depth=3, width=64, act="tanh", init="xavier", loop=ADAM),
    _row("digits-sigmoid", 2000, dense.build, source="digits", depth=1, width=64, act="sigmoid",
         loop=Loop("adam", 1e-2)),
    _row("digits-momentum", 2000, dense.build, source="digits", depth=3, width=64,
         loop=Loop("sgd", 0.02, {"momentum": 0.9})),
    _row("digits-decay", 2000, dense.build, source="digits", depth=2, width=64,
         loop=Loop("adamw", 2e-3, {"weight_decay": 0.01})),
    _row("images", 1500, convolution.build, depth=2, channels=16, loop=Loop("adam", 3e-3)),
    _row("images-norm", 1500, convolution.build, depth=4, norm=True, loop=Loop("adam", 3e-3)),
    _row("rows-gru", 2000, recurrent.build, source="digit_rows", cell="gru", loop=Loop("adam", 5e-3)),
    _row("rows-lstm", 2000, recurrent.build, source="digit_rows", cell="lstm", width=32, loop=Loop("adam", 5e-3)),
    _row("adding", 2500, recurrent.build, source="adding 12", cell="gru", loop=Loop("adam", 1e-2, clip=1.0)),
    _row("patches", 1500, transformer.build, source="digit_patches", layers=1, pre_norm=True, loop=Loop("adam", 3e-3)),
    _row("first", 1500, transformer.build, source="first 8", layers=1, loop=ADAM),
    _row("text", 1500, transformer.build, source="letters 12 each", layers=1, pre_norm=True, loop=Loop("adam", 1e-2)),
    _row("letters", 2500, embedding.build, loop=_TEXT),
    _row("autoencoder", 2000, autoencoder.build, depth=2, act="relu", loop=Loop("adam", 3e-3)),
    _row("diabetes", 1500, regression.build, source="diabetes", depth=1, width=8, standard=True,
         loop=Loop("adam", 1e-3, batch=8)),
    _row("friedman", 2500, regression.build, source="friedman 1", standard=True, loop=Loop("adam", 3e-3)),
    _row("wine", 1500, regression.build, source="wine", depth=1, width=16, standard=True, loop=Loop("sgd", 0.1)),
)  # fmt: skip
