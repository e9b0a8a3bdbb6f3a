"""Why weights never get a gradient although an optimizer holds them."""

from __future__ import annotations

from collections.abc import Sequence

from ..evidence import Evidence
from .cause import Cause, listed

#: Two layers at least: a single unused parameter (a pooler, a mask token) is common in healthy models.
FIRST_WEIGHTS = 2
#: From this confidence on something is certainly wrong: an unused part may be meant, a cut is not.
CERTAIN = 0.9
#: Names of calls that give a tensor without its history, as people write them.
_WRITTEN = {"detach": ".detach()", "detach_": ".detach_()", "data": ".data"}
_SOURCE = "autograd leaves .grad None where the loss does not depend on a parameter"


def explain_cut(evidence: Evidence, cut: Sequence[int], wanting: Sequence[int]) -> Cause:
    """``cut``: the parameters that never got a gradient, of those (``wanting``) that an optimizer holds."""
    modules = tuple(dict.fromkeys(evidence.module_of(i) for i in cut))
    numbers: dict[str, float | int | str] = {"weights_without_gradient": len(cut), "weights": len(wanting)}

    def cause(because: str, action: str, confidence: float, **more: float | int | str) -> Cause:
        return Cause(
            "detached_graph", because, action, modules[:8], numbers | more, ("reconnect_graph",), _SOURCE, confidence
        )

    place = _seen_cut(evidence, cut)
    if place is not None:
        op, module = place
        written = _WRITTEN.get(op, f"`{op}`")
        inside = f" in `{module}`" if module else ""
        return cause(
            f"their values reach the loss through {written}{inside}, and no gradient comes back through it",
            f"Remove {written}{inside}."
            if op in _WRITTEN
            else f"Put something that can be differentiated in place of {written}{inside}.",
            0.95,
            cut_at=op,
        )
    if len(cut) == len(wanting):
        return cause(
            "no weight that the optimizer holds gets a gradient: the loss does not depend on them",
            "Check that the optimizer was given the parameters of the model that computes the loss, and that nothing"
            " between them and the loss is detached.",
            CERTAIN,
        )
    matrices = set(evidence.matrices.tolist())
    weights = [i for i in wanting if i in matrices]
    lost = [i for i in weights if i in set(cut)]
    # A cut graph loses every layer before the cut; an unused head or pooler lies anywhere else.
    if len(lost) >= FIRST_WEIGHTS and lost == weights[: len(lost)] and len(lost) < len(weights):
        last, following = evidence.module_of(lost[-1]), evidence.module_of(weights[len(lost)])
        return cause(
            f"the graph is cut between `{last}` and `{following}`: everything before it stays as it was initialised",
            f"Remove the detach(), no_grad() or numpy() between `{last}` and `{following}`.",
            CERTAIN,
        )
    return cause(
        "the loss does not depend on them: they are not used in the forward pass, or they are detached",
        f"Use {listed(modules)} in the forward pass, or leave them out of the optimizer.",
        0.6,
    )


def _seen_cut(evidence: Evidence, cut: Sequence[int]) -> tuple[str, str] | None:
    """(operation, module) of a call of the first step that most of these parameters lost their gradient at.

    With gradients off the cut may be meant: then it is told by the other signs alone.
    """
    names = {evidence.names[i] for i in cut}
    for event in evidence.events("graph_cut"):
        if event.data["enabled"] and 2 * len(names.intersection(event.data["parameters"])) > len(names):
            return event.data["op"], event.data["module"]
    return None
