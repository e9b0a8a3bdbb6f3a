"""Two rings, which no straight line parts."""

from __future__ import annotations

from ..loop import ADAM, Loop
from .dense import row

ROWS = (
    row("13-sigmoid", "circles", 1500, 13, 5, act="sigmoid", loop=ADAM),
    row("6-sigmoid", "circles", 2000, 6, 16, act="sigmoid", loop=Loop("sgd", 0.01)),
    row("8-exp", "circles", 1500, 8, 8, act="exp", loop=Loop("sgd", 0.01)),
    row("17-relu", "circles", 1500, 17, 5, loop=Loop("sgd", 0.01)),
    row("10-tanh-unit", "circles", 1500, 10, 32, act="tanh", init="unit", loop=Loop("sgd", 0.01)),
    row("15-relu-tiny", "circles", 1500, 15, 10, init="tiny", loop=Loop("sgd", 0.01)),
    row("4-softmax", "circles", 2000, 4, 16, act="softmax", loop=Loop("sgd", 0.05)),
    row("4-zero", "circles", 2000, 4, 16, init="zero", loop=Loop("sgd", 0.05)),
    row("3-rate", "circles", 2000, 3, 16, loop=Loop("adam", 1.0)),
    row("5-dead", "circles", 2000, 5, 16, bias=-1.0, loop=Loop("sgd", 0.01)),
    row("20-softsign", "circles", 1500, 20, 10, act="softsign", loop=Loop("sgd", 0.01)),
)
