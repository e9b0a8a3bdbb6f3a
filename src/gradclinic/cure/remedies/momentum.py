"""Another momentum."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..patient import Patient
from ..remedy import CannotApply, Options, Remedy
from ..surgery import Journal


def momentum_of(group: Mapping[str, Any]) -> float | None:
    """A group's momentum, or the first of its betas; None where it has neither."""
    if "betas" in group:
        return float(group["betas"][0])
    return float(group["momentum"]) if "momentum" in group else None


class Momentum(Remedy):
    """The same for all groups that have one; Adam and its kin have it as the first of their betas.

    Never proposed in a treatment, which offers SGD with momentum instead; a search for settings sets it.
    """

    id = "momentum"
    family = "momentum"
    title = "another momentum"
    size = 0
    effect = "shallow directions gain speed, and noise averages out over 1/(1 - momentum) steps"
    source = "Polyak 1964; Goh 2017, Why Momentum Really Works; Kingma and Ba 2015 (beta1)"

    def propose(self, patient: Patient) -> Iterable[Options]:
        return ()

    def apply(self, journal: Journal, options: Options) -> None:
        momentum = float(options["momentum"])
        if not 0 <= momentum < 1:
            raise CannotApply(f"a momentum is at least 0 and below 1, not {momentum:g}")
        groups = [] if journal.optimizer is None else journal.optimizer.param_groups
        able = [group for group in groups if momentum_of(group) is not None]
        if not able:
            raise CannotApply("the optimizer has no momentum")
        for group in able:
            if "betas" in group:
                journal.group(group, "betas", (momentum, *group["betas"][1:]))
            else:
                journal.group(group, "momentum", momentum)

    def says(self, options: Options) -> str:
        momentum = float(options["momentum"])
        return f"momentum {momentum:.3g}" if momentum else "no momentum"

    def code(self, options: Options) -> str:
        momentum = float(options["momentum"])
        return (
            "for group in optimizer.param_groups:\n"
            "    if 'betas' in group:\n"
            f"        group['betas'] = ({momentum!r}, *group['betas'][1:])\n"
            "    elif 'momentum' in group:\n"
            f"        group['momentum'] = {momentum!r}"
        )
