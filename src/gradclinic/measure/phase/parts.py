"""What each operation of a forward pass is to the theory."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import nan

import torch
from torch import Tensor

from gradclinic.measure.meanfield import Activation

from .padding import Window
from .weights import Weights


@dataclass(slots=True, eq=False)
class Product:
    """A product of the signal with a weight: a layer."""

    where: str
    weights: Weights
    windows: tuple[Window, ...] = ()  #: of a convolution, one per dimension in space
    weight: int = -1  #: place of the weight: that of another product with the same weight is the same
    delta: Tensor | None = None  #: ‖δ‖, after the backward pass


@dataclass(frozen=True, slots=True)
class Nonlinearity:
    """An elementwise function that the theory knows."""

    activation: Activation


@dataclass(frozen=True, slots=True)
class Normalization:
    """``gain`` and ``shift`` are the mean squares of its scale and its offset; ``batch`` the values per channel."""

    name: str
    gain: float
    shift: float
    batch: int


@dataclass(frozen=True, slots=True)
class Scale:
    """Multiplies the mean square by ``square``: a factor, dropout's 1/keep, a normalisation by fixed statistics."""

    square: float
    added: float = 0.0  #: mean square of what is added after it
    note: str = ""


@dataclass(frozen=True, slots=True)
class Rearrangement:
    """The same numbers, or some of them, in another shape."""


@dataclass(frozen=True, slots=True)
class Pooling:
    """Makes one number of several; ``whole`` where it ends all places of an image or a sequence."""

    whole: bool


@dataclass(frozen=True, slots=True)
class Sum:
    """A sum of two tensors, or of one and a number."""


Part = Product | Nonlinearity | Normalization | Scale | Rearrangement | Pooling | Sum


@dataclass(slots=True, eq=False)
class Value:
    """A tensor of the forward pass, or what of it is kept."""

    place: int  #: in the order of computation
    op: str  #: name of the function that made it; "" where nothing seen did
    inputs: tuple[int, ...]  #: places of what it was made of
    path: str  #: of the module that was running
    shape: torch.Size
    ancestors: int  #: places of all it came from, itself too, as bits
    part: Part | None = None  #: None: unknown to the theory
    constant: bool = False  #: a parameter or made of nothing else
    mean_square: Tensor | None = None  #: scalar, on its device: reading it here would stop the accelerator
    sample: Tensor | None = field(default=None, repr=False)  #: some elements, at the same places for the same shape

    @property
    def square(self) -> float:
        return nan if self.mean_square is None else float(self.mean_square)
