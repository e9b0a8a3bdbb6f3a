"""Digits as rows of 64 pixels."""

from __future__ import annotations

from ..loop import ADAM, Loop
from .dense import row

ROWS = (
    row("34-xavier", "digits", 1500, 34, 64, init="xavier", loop=ADAM),
    row("50-default", "digits", 1500, 50, 32, loop=ADAM),
    row("3-unit", "digits", 2000, 3, 256, init="unit", loop=Loop("sgd", 0.01)),
    row("5-tiny", "digits", 2000, 5, 64, init="tiny", loop=Loop("sgd", 0.01)),
    row("2-softmax", "digits", 2000, 2, 64, act="softmax", loop=ADAM),
    row("30-tanh-unit", "digits", 1500, 30, 32, act="tanh", init="unit", loop=Loop("sgd", 0.01)),
    row("rate-low", "digits", 2000, 3, 64, loop=Loop("sgd", 1e-5)),
    row("rate-high", "digits", 2000, 3, 64, loop=Loop("adam", 0.3)),
    row("6-sigmoid", "digits", 2000, 6, 64, act="sigmoid", loop=Loop("sgd", 0.05)),
    row("10-sigmoid", "digits", 1500, 10, 64, act="sigmoid", loop=ADAM),
    row("20-gelu", "digits", 1500, 20, 64, act="gelu", loop=Loop("sgd", 0.05)),
    row("4-dead", "digits", 2000, 4, 64, bias=-1.0, loop=Loop("sgd", 0.01)),
    row("last-relu", "digits", 2000, 3, 64, last="relu", init="large", loop=Loop("adam", 1e-2)),
    row("last-softmax", "digits", 2000, 3, 64, last="softmax", loop=Loop("sgd", 0.01)),
    row("3-constant", "digits", 2000, 3, 64, init="constant", loop=Loop("sgd", 0.01)),
    row("15-softplus", "digits", 1500, 15, 64, act="softplus", loop=Loop("sgd", 0.01)),
    row("pixels-255", "digits", 2000, 2, 64, scale=255.0, loop=Loop("sgd", 0.1)),
    row("pixels-small", "digits", 2000, 2, 64, scale=1e-3, loop=Loop("sgd", 0.01)),
)
