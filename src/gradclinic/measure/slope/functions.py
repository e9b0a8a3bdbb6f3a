"""The hand-written functions that a loss applies, each held against finite differences of its own forward."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gradclinic.measure.gradcheck import FunctionWatch
from gradclinic.schema.slope import Disagreement

from .twin import Twin

#: A check-up may take longer over one call than a live run: 64 MiB in float64.
_ELEMENTS = 8_000_000


def check_functions(twin: Twin, placed: Mapping[type, str | None], *, seconds: float) -> list[Disagreement]:
    """One entry for each function whose backward is not the derivative of its forward.

    ``placed``: the module that applies each, None for the loss's own code; the model where it is not known.
    """
    watch = FunctionWatch(elements=_ELEMENTS, seconds=seconds)
    watch.attach()
    try:
        twin.gradient()  # with the backward, in which checkpoints compute what they left out
    finally:
        watch.detach()
    names = {function.__qualname__: where for function, where in placed.items()}
    return [_disagreement(event, names) for event in watch.check()]


def _disagreement(event: Mapping[str, Any], names: Mapping[str, str | None]) -> Disagreement:
    where = names.get(event["function"], "")
    return Disagreement(
        kind="deliberate" if event["deliberate"] else "wrong",
        part="loss" if where is None else "model",
        module=where or "",
        function=event["function"],
        file=event["file"],
        line=event["line"],
        towards=tuple(event["inputs"]),
        error=event["relative_error"],
        scale=event["scale"],
        meaning=event["meaning"],
    )
