"""Which values a model's outputs may take, so that constant predictions of the same kind can be made."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

#: How far rounding may put a sum of probabilities from 1: float16 has 2^-11, over some ten classes.
SUM = 1e-2


@dataclass(frozen=True, slots=True)
class Link:
    """``onto`` maps all real numbers to the outputs' kind of values, ``back`` the outputs to real numbers."""

    name: str
    onto: Callable[[Tensor], Tensor]
    back: Callable[[Tensor], Tensor]


def _log(values: Tensor) -> Tensor:
    return values.clamp_min(1e-30).log()


IDENTITY = Link("identity", lambda values: values, lambda values: values)
LOGISTIC = Link("logistic", torch.sigmoid, lambda values: torch.logit(values, eps=1e-12))


def _softmax(axis: int) -> Link:
    return Link("softmax", lambda values: values.softmax(axis), _log)


def _log_softmax(axis: int) -> Link:
    return Link("log-softmax", lambda values: values.log_softmax(axis), lambda values: values)


def link_of(outputs: Sequence[Tensor]) -> Link:
    """The link of one output on several batches: finite numbers of any shape, samples first.

    Probabilities, their logarithms, or any number.  A loss of log-probabilities, or of probabilities, is meant for
    nothing else: moved freely, it would have no least value, or fail.
    """
    for axis in (-1, 1):
        if all(own.dim() > 1 and own.shape[axis] > 1 for own in outputs):
            if all(bool((own <= 0).all()) and _ones(own.exp().sum(axis)) for own in outputs):
                return _log_softmax(axis)
            if all(bool((own >= 0).all()) and _ones(own.sum(axis)) for own in outputs):
                return _softmax(axis)
    if all(bool(((own >= 0) & (own <= 1)).all()) for own in outputs):
        return LOGISTIC
    return IDENTITY


def _ones(sums: Tensor) -> bool:
    return bool(((sums - 1).abs() < SUM).all())
