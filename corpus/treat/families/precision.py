"""Half precision without care: weights, moments or activations out of the range or below the last bit."""

from __future__ import annotations

import torch

from ..loop import Loop
from ..row import Row
from . import autoencoder, convolution, dense, recurrent, regression

MICIKEVICIUS = "Micikevicius et al. 2018, arXiv:1710.03740; Gupta et al. 2015, arXiv:1502.02551"
HALF, BRAIN = torch.float16, torch.bfloat16


def _row(name: str, steps: int, like: Row, **options: object) -> Row:
    """Another family's network."""
    return Row(
        f"precision-{name}", "precision", MICIKEVICIUS, steps, like.build, {**like.options, **options}, like.better
    )


_DIGITS = Row("", "", "", 0, dense.build, {"source": "digits", "depth": 3, "width": 64}, dense.BETTER)
_IMAGES = Row("", "", "", 0, convolution.build, {"depth": 3}, convolution.BETTER)
_ROWS = Row("", "", "", 0, recurrent.build, {"source": "digit_rows", "cell": "gru"}, recurrent.BETTER)
_TABLE = Row("", "", "", 0, regression.build, {"source": "friedman 1"}, regression.BETTER)
_SAME = Row("", "", "", 0, autoencoder.build, {"depth": 2, "act": "relu"}, autoencoder.BETTER)

ROWS = (
    _row("half-adam", 1500, _DIGITS, loop=Loop("adam", 1e-3, dtype=HALF)),
    _row("half-pixels-255", 1500, _DIGITS, scale=255.0, loop=Loop("sgd", 0.2, dtype=HALF)),
    _row("half-targets", 2000, _TABLE, targets=100.0, loop=Loop("adam", 1e-3, dtype=HALF)),
    _row("brain-rate-low", 1500, _DIGITS, loop=Loop("adam", 1e-5, dtype=BRAIN)),
    _row("brain-sgd", 1500, _DIGITS, loop=Loop("sgd", 3e-3, dtype=BRAIN)),
    _row("half-minute", 1500, _IMAGES, init="minute", loop=Loop("sgd", 0.05, dtype=HALF)),
    _row("brain-images", 1500, _IMAGES, loop=Loop("adam", 2e-5, dtype=BRAIN)),
    _row("brain-rows", 1500, _ROWS, loop=Loop("sgd", 1e-2, dtype=BRAIN)),
    _row("half-autoencoder", 1500, _SAME, scale=300.0, loop=Loop("adam", 1e-3, dtype=HALF)),
)
