"""How likely a training is to arrive: a logistic regression on the signs, fitted in ``corpus/trainability``."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources
from math import exp

from .signs import Signs


@dataclass(frozen=True, slots=True)
class Fitted:
    """The weights of :meth:`Signs.vector` and the intercept; ``python -m corpus.foresee`` writes them."""

    weights: tuple[float, ...]
    intercept: float
    typical: tuple[float, ...]  #: the means of what it was fitted to

    def probability(self, signs: Signs) -> float:
        """Between 0 and 1."""
        value = self.intercept + sum(w * x for w, x in zip(self.weights, signs.vector(self.typical), strict=True))
        return 1 / (1 + exp(-value)) if value > 0 else exp(value) / (1 + exp(value))


@cache
def fitted() -> Fitted:
    """What was fitted last, as it ships with the package."""
    data = json.loads(resources.files(__package__).joinpath("fitted.json").read_text(encoding="utf-8"))
    return Fitted(tuple(data["weights"]), float(data["intercept"]), tuple(data["typical"]))
