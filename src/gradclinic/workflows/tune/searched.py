"""The answer of a search over several settings, and how it is told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rich.console import RenderableType

from gradclinic.schema.search import FinalRow, Finals, SearchReport, Settings, TriedRow
from gradclinic.show import search
from gradclinic.show.html import search_page

from ..shown import Shown

if TYPE_CHECKING:
    from gradclinic.cure import Recipe
    from gradclinic.cure.purse import Purse
    from gradclinic.cure.searching import Arm, Comparison, Found, Wanted


@dataclass(frozen=True, slots=True)
class Searched(Shown):
    """What was tried and what came of it.  Prints itself, and shows itself in a notebook."""

    report: SearchReport
    recipe: Recipe  #: sets what was proven; without changes where nothing was

    @property
    def best(self) -> Settings | None:
        """The settings that are proven to be better than the user's own; None where there are none."""
        return self.report.best

    @property
    def headline(self) -> str:
        """The answer in one sentence."""
        return self.report.headline

    @property
    def interrupted(self) -> bool:
        """Whether Ctrl-C ended it; the same call goes on."""
        return self.report.interrupted

    def to_dict(self) -> dict[str, Any]:
        """The documented JSON (``search.schema.json``) as plain data."""
        return self.report.to_dict()

    def page(self) -> str:
        """The self-contained HTML page."""
        return search_page.page(self.report)

    def __rich__(self) -> RenderableType:
        return search.render(self.report)

    def _repr_html_(self) -> str:
        return search_page.fragment(self.report)


def search_report(
    found: Found, wanted: Wanted, purse: Purse, name: str, steps: int, *, interrupted: bool
) -> tuple[SearchReport, Recipe]:
    """All of it, in plain data, and the recipe for the user's whole training."""
    from gradclinic.cure import Recipe
    from gradclinic.cure.searching import recipe_of

    from .told import curve_of, window_of

    proven = None if interrupted else found.proven
    recipe = recipe_of(proven.settings, steps) if proven else Recipe()
    report = SearchReport(
        target=name,
        headline=_headline(found, wanted, steps, interrupted=interrupted),
        steps=steps,
        names=wanted.names,
        space=found.space.to_dict() if found.space else {},
        own=dict(found.own),
        best=dict(proven.settings) if proven else None,
        by_metric=found.by_metric,
        gain=_gain(found.proof.arms[0]) if found.proof else None,
        asked=wanted.trials,
        trial_steps=found.plan.trial if found.plan else 0,
        trials=tuple(
            TriedRow(each.number, dict(each.settings), each.reported, each.steps, each.fate, each.value)
            for each in found.tried
        ),
        finals=_finals(found.finals),
        proof=_finals(found.proof),
        window=window_of(found.looked),
        range_test=curve_of(found.looked),
        recipe=recipe.to_dict() if proven else None,
        code=recipe.code(),
        spent=dict(purse.spent),
        interrupted=interrupted,
    )
    return report, recipe


def _headline(found: Found, wanted: Wanted, steps: int, *, interrupted: bool) -> str:
    if interrupted:
        return f"Interrupted after {len(found.tried)} trials: the same command goes on from here."
    if found.proof is None:
        return f"Keep your own settings: none of the best of {len(found.tried)} trials beats them on fresh seeds."
    arm, own = found.proof.arms
    what = "metric" if found.proof.by_metric else "loss"
    sign = 1 if found.proof.by_metric else -1
    means = [sign * sum(each.values) / len(each.values) for each in (arm, own)]
    lead = f"{what} {means[0]:.4g} against your {means[1]:.4g}"
    over = f"after {found.proof.steps:,} of {steps:,} steps, {wanted.seeds} fresh seeds"
    said = search.settings_say(dict(arm.settings))
    if found.proven:
        return f"{said[:1].upper()}{said[1:]}: {lead} {over}."
    return f"Keep your own settings: {said} is not proven to beat them ({lead} {over})."


def _finals(those: Comparison | None) -> Finals | None:
    if those is None:
        return None
    return Finals(those.steps, those.seeds, those.by_metric, tuple(_rows(those.arms)))


def _rows(arms: Sequence[Arm]) -> list[FinalRow]:
    return [
        FinalRow(
            dict(arm.settings),
            tuple(outcome.metric for outcome in arm.outcomes),
            tuple(outcome.loss for outcome in arm.outcomes),
            tuple(outcome.ended for outcome in arm.outcomes),
            _gain(arm) if arm.settings else None,
        )
        for arm in arms
    ]


def _gain(arm: Arm) -> tuple[float, float, float]:
    return arm.gain.mean, arm.gain.low, arm.gain.high
