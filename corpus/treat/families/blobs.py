"""Three clouds, which straight lines part: what fails here is the network."""

from __future__ import annotations

from ..loop import ADAM, Loop
from .dense import row

ROWS = (
    row("11-sigmoid", "blobs", 1500, 11, 10, act="sigmoid", loop=Loop("sgd", 0.01)),
    row("15-sigmoid", "blobs", 1500, 15, 10, act="sigmoid", loop=ADAM),
    row("last-relu", "blobs", 2000, 4, 50, last="relu", bias=-0.5, loop=Loop("sgd", 0.1)),
    row("20-tanh-tiny", "blobs", 1500, 20, 10, act="tanh", init="tiny", loop=Loop("sgd", 0.01)),
    row("rate-high", "blobs", 2000, 3, 32, loop=Loop("sgd", 5.0)),
    row("rate-low", "blobs", 2000, 3, 32, loop=Loop("sgd", 1e-6)),
    row("5-dead", "blobs", 1500, 5, 16, bias=-3.0, loop=Loop("sgd", 0.01)),
    row("4-zero", "blobs", 1500, 4, 16, init="zero", loop=Loop("adam", 1e-3)),
    row("3-exp", "blobs", 1500, 3, 32, act="exp", loop=Loop("sgd", 0.01)),
    row("12-hardsigmoid", "blobs", 1500, 12, 10, act="hardsigmoid", loop=Loop("sgd", 0.01)),
)
