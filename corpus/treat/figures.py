"""From judged tasks to the figures."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean, median
from typing import Any

from .judged import Judged


def figures(judged: Sequence[Judged]) -> dict[str, Any]:
    """Rates are ``[right, count]``; sick and healthy tasks apart, and each family."""
    sick, healthy = [each for each in judged if each.sick], [each for each in judged if not each.sick]
    families = dict.fromkeys(each.family for each in judged)
    return {
        "sick": _sick(sick),
        "healthy": {
            "tasks": len(healthy),
            "worse": sum(each.worse for each in healthy),
            "worse_unproven": sum(each.worse_unproven for each in healthy),
            "changed": sum(each.claimed for each in healthy),
            "called_sick": sum(each.verdict == "sick" for each in healthy),
        },
        "families": {
            family: {
                "tasks": len(own),
                "cured": sum(each.cured for each in own),
                "by_chance": sum(each.cured_by_chance for each in own),
                "gain": _mean(each.treated - each.untreated for each in own),
                "gradients": _median(each.gradients for each in own),
            }
            for family in families
            if (own := [each for each in judged if each.family == family])
        },
    }


def _sick(sick: Sequence[Judged]) -> dict[str, Any]:
    claims = [each for each in sick if each.claimed]
    ranks = [each.rank for each in sick if each.rank is not None]
    return {
        "tasks": len(sick),
        "cured": [sum(each.cured for each in sick), len(sick)],
        "cured_unproven": sum(each.cured_unproven for each in sick),
        "cured_seeds": [sum(each.seeds_cured for each in sick), 3 * len(sick)],
        "claims": [len(claims), len(sick)],
        "claims_hold": [sum(each.holds for each in claims), len(claims)],
        "chance": [sum(each.cured_by_chance for each in sick), len(sick)],
        "gain": _mean(each.treated - each.untreated for each in sick),
        "gain_by_chance": _mean(each.by_chance - each.untreated for each in sick),
        "short": _mean(each.reference - each.untreated for each in sick),
        "gradients": _median(each.gradients for each in sick),
        "gradients_most": round(max((each.gradients for each in sick), default=0.0), 2),
        "seconds": _median(each.seconds for each in sick if each.seconds is not None),
        "smallest": [sum(rank == 1 for rank in ranks), len(ranks)],
        "rank": _mean(ranks),
    }


def _mean(values: Any) -> float | None:
    known = list(values)
    return round(fmean(known), 2) if known else None


def _median(values: Any) -> float | None:
    known = list(values)
    return round(median(known), 2) if known else None
