"""A loss whose terms were brought down to one number in two ways: a sum beside a mean."""

from __future__ import annotations

from typing import Final

from ..evidence import Evidence
from ..learning import TERM_MARGIN, main_term
from .cause import Cause

#: A term ten times as large as all others has the gradient nearly to itself, and a sum over anything reaches that.
SWAMPS: Final = 10.0
#: A sum with a smaller factor was weighed on purpose (1/n, a coefficient): it is the coefficient that is wrong then.
UNWEIGHED: Final = 0.1


def swamping_sum(evidence: Evidence) -> Cause | None:
    """A sum over samples, latents or weights that is added as it is to an error that is a mean, and swamps it.

    A penalty on the size of the weights is no such term: its coefficient is what counts (``weight_decay_high``).
    """
    for event in evidence.events("loss_terms")[:1]:
        terms = event.data["terms"]
        sums = [t for t in terms if t["reduction"] == "sum" and abs(t["factor"]) >= UNWEIGHED and not t["penalty"]]
        means = [t for t in terms if t["reduction"] == "mean" and not t["penalty"]]
        large, small = (sum(abs(t["value"]) for t in part) for part in (sums, means))
        known = [t for t in means if t["of_inputs"]]
        swamps = bool(known) and large >= SWAMPS * sum(abs(t["value"]) for t in known)
        # A term may pull harder than its value tells; that the error it stands beside was never learned shows it.
        left = main_term(evidence.objectives)
        drowned = large >= small and left is not None and left >= 1 - TERM_MARGIN
        if not sums or not means or not (swamps or drowned):
            continue
        return Cause(
            "loss_reduction",
            f"it is a sum, {large:.3g} at the first step, beside an error that is a mean, {small:.3g}: the one was"
            " divided by how many it adds up and the other was not",
            "Divide both by the same: take the sum over the number of samples (of the whole set, for a prior on the"
            " weights), or sum the error as well.",
            ("loss",),
            {"sum_terms": large, "mean_terms": small} | ({} if left is None else {"error_left": left}),
            ("mean_reduction",),
            "a bound on the likelihood of n samples is a sum over n of both or of neither (Kingma 2014; Blundell 2015)",
            0.85,
        )
    return None
