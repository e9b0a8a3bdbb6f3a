"""Why a derivative's product, spectrum or curvature cannot be had.  Each message is one line."""

from __future__ import annotations


class NoProduct(Exception):
    """Something about the function stands in the way; the caller may fall back, or say so."""


class NoForwardMode(NoProduct):
    """J v can be had neither by forward mode nor by double backward.  Jᵀ u still can."""


class NoSecondDerivative(NoProduct):
    """The loss cannot be differentiated twice."""


class NotConnected(NoProduct):
    """No output depends on what it is differentiated by: integer inputs, a detached graph, frozen parameters."""


class NotFinite(NoProduct):
    """A product holds inf or nan, so it has no spectrum."""


class NoSplit(NoProduct):
    """The loss cannot be taken apart into the model's outputs and a function of them."""


def in_one_line(error: BaseException) -> str:
    """The kind of an error and the beginning of what it says; torch's messages go on for pages."""
    said = str(error).strip().partition("\n")[0][:120]
    return f"{type(error).__name__}: {said}" if said else type(error).__name__
