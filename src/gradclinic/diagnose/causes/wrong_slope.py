"""Places of a model whose gradient is not their derivative, as a check-up's finite differences found them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gradclinic.schema.finding import Finding

from ..evidence import Evidence


def wrong_slopes(evidence: Evidence, known: set[str]) -> Iterator[Finding]:
    """A finding for each; ``known`` are the hand-written functions that the watched steps named already."""
    for event in evidence.events("slope"):
        for item in event.data["disagreements"]:
            if item["kind"] == "wrong" and item["function"] not in known:
                yield _wrong(item, event.data["hidden"])


def _wrong(item: dict[str, Any], hidden: float) -> Finding:
    module = item["module"] or ("the model" if item["part"] == "model" else "the loss")
    name = item["function"] or module
    place = f" ({item['file']}:{item['line']})" if item["file"] else ""
    inside = f" in `{module}`" if item["function"] else ""
    return Finding(
        "wrong_gradient",
        "wrong_backward",
        (name, module) if item["function"] else (name,),
        0,
        "critical",
        0.95,
        {"relative_error": item["error"], "hidden_share": hidden, "part": item["part"]}
        | ({} if item["scale"] is None else {"scale": item["scale"]}),
        f"The gradient of `{name}`{inside}{place} is not the derivative of what it computes: finite differences"
        f" disagree by {100 * item['error']:.3g}% ({item['meaning']}). Every weight before it is moved in a wrong"
        " direction.",
        f"Correct the backward of `{name}` until torch.autograd.gradcheck accepts it.",
        ("correct_backward",),
        "central differences: (f(x+h) - f(x-h)) / 2h",
    )
