"""The families, one file each."""

from __future__ import annotations

from ..row import Row
from . import (
    autoencoder,
    blobs,
    circles,
    convolution,
    digits,
    embedding,
    healthy,
    precision,
    recurrent,
    regression,
    training,
    transformer,
)

ALL: tuple[Row, ...] = (
    *circles.ROWS,
    *blobs.ROWS,
    *digits.ROWS,
    *convolution.ROWS,
    *recurrent.ROWS,
    *transformer.ROWS,
    *autoencoder.ROWS,
    *regression.ROWS,
    *precision.ROWS,
    *training.ROWS,
    *embedding.ROWS,
    *healthy.ROWS,
)


def find_row(name: str) -> Row:
    """By its name.

    Raises:
        KeyError: there is none.
    """
    return {row.name: row for row in ALL}[name]
