"""Every change that applies, tried on copies within the cost of fifty training steps."""

from __future__ import annotations

import copy
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from itertools import combinations, permutations
from math import factorial, isfinite
from statistics import median
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

from .changes import Change, changes_for
from .replay import Edit, Outcome, Replay

#: The whole battery may cost as much as so many training steps.
BUDGET = 50
#: And so many seconds, whatever a step costs: somebody may be waiting for the end of the run.
SECONDS = 20.0
#: Steps of one trial: Adam's first step already has its full length, and an unstable step multiplies the error at
#: least by its excess over the limit each time, so that five show both; more would leave fewer changes to try.
STEPS = 5
#: The changes that act on the gradient's way through depth, and the decades lost from which their shares are asked for.
DEPTH, LOST = ("saturating_activation", "unbounded_activation", "weight_scale", "missing_shortcut"), 1.0
#: The same step run again must give the same loss; dropout draws other masks than the user's run did.
SAME, SAME_WITH_NOISE = 1e-3, 0.5


@dataclass(frozen=True, slots=True)
class Trial:
    """What a few steps on the copies did to the loss of the batch."""

    losses: tuple[float, ...]  #: before each step and after the last
    pace: float | None  #: ‖Δw‖/‖w‖ of the first step, median over the weights


@dataclass(frozen=True, slots=True)
class Examined:
    """One change, its measurement, and its trial where there was one."""

    change: Change | None  #: None: the step as it is
    outcome: Outcome
    trial: Trial | None
    shares: dict[str, float] | None = None  #: decades that each factor of depth brings back, averaged over all orders

    def data(self) -> dict[str, Any]:
        """As a JSON event."""
        change = self.change
        return {
            "change": change.id if change else "",
            "what": change.what if change else "",
            "where": list(change.where) if change else [],
            **({"numbers": change.numbers} if change and change.numbers else {}),
            **({"shares": self.shares} if self.shares else {}),
            **asdict(self.outcome),
            "decades": self.outcome.decades,
            "losses": list(self.trial.losses) if self.trial else [],
            "pace": self.trial.pace if self.trial else None,
        }


class Battery:
    """Runs the changes on one recorded step.  ``optimizer`` is the user's: it is copied, never stepped."""

    def __init__(self, replay: Replay, optimizer: Optimizer | None, seen_loss: float | None) -> None:
        self.replay = replay
        self._optimizer = optimizer
        self._seen = seen_loss
        self.spent = 0  #: training steps' worth
        self._until = time.perf_counter() + SECONDS

    def run(self) -> list[Examined]:
        """The step as it is, then each change, most telling first, while the budget lasts.

        Raises ValueError where the recorded step does not give the user's loss again.
        """
        plain = self._measured([])
        self._check(plain.loss)
        trial = self._tried(None)
        tested = [Examined(None, plain, trial)]
        changes = changes_for(self.replay, self._optimizer, trial.pace if trial else None)
        measured = [(change, self._measured([change])) for change in changes if change.tune is None]
        outcomes = {id(change): outcome for change, outcome in measured}
        tested[0] = replace(tested[0], shares=self._shares_of_depth(plain, changes))
        tested.extend(Examined(change, outcomes.get(id(change), plain), self._tried(change)) for change in changes)
        return tested

    def shares(self, factors: Sequence[Change]) -> dict[str, float] | None:
        """Each factor's part in what they do together to ``decades``: its effect averaged over all orders (Shapley).

        None where one of the combinations leaves a layer without a gradient.
        """
        indices = range(len(factors))
        gain: dict[frozenset[int], float] = {}
        for size in range(len(factors) + 1):
            for chosen in combinations(indices, size):
                decades = self._measured([factors[index] for index in chosen]).decades
                if decades is None:
                    return None
                gain[frozenset(chosen)] = decades
        parts = dict.fromkeys((factor.id for factor in factors), 0.0)
        for order in permutations(indices):
            for place, index in enumerate(order):
                parts[factors[index].id] += gain[frozenset(order[: place + 1])] - gain[frozenset(order[:place])]
        return {name: part / factorial(len(factors)) for name, part in parts.items()}

    def _shares_of_depth(self, plain: Outcome, changes: Sequence[Change]) -> dict[str, float] | None:
        """Activation, weights and shortcuts act on the same gradient, and each hides what the others do."""
        factors = [change for change in changes if change.id in DEPTH]
        if plain.decades is None or plain.decades > -LOST or len(factors) < 2:
            return None
        return self.shares(factors)

    # -- inner ---------------------------------------------------------------------------------------------

    def _check(self, loss: float) -> None:
        seen = self._seen
        if seen is None or not isfinite(seen) or not isfinite(loss):
            return
        noisy = any(call.name.startswith(("dropout", "feature_dropout", "alpha_dropout", "rand", "bernoulli", "normal"))
                    for call in self.replay.recording.calls)  # fmt: skip
        allowed = SAME_WITH_NOISE if noisy else SAME
        if abs(loss - seen) > allowed * max(abs(seen), 1e-6):
            raise ValueError(f"the step run again gives a loss of {loss:.6g}, not {seen:.6g}")

    def _start(self, changes: Sequence[Change]) -> tuple[list[Tensor], list[Edit], bool]:
        """The leaves to start from, the edits (shortcuts outermost: they go around whatever is inside), precision."""
        ordered = sorted(changes, key=lambda change: change.id != "missing_shortcut")
        edits = [change.edit for change in ordered if change.edit is not None]
        leaves = self.replay.copies()
        for change in ordered:
            if change.prepare is not None:
                leaves = change.prepare(self.replay, leaves, edits)
                self.spent += 1
        return leaves, edits, any(change.precise for change in changes)

    def _measured(self, changes: Sequence[Change]) -> Outcome:
        self.spent += 1
        leaves, edits, precise = self._start(changes)
        return self.replay.outcome(*self.replay.gradients(leaves, edits, precise=precise))

    def _tried(self, change: Change | None) -> Trial | None:
        """A few steps on the copies; None without an optimizer that can be copied, or past the budget."""
        late = self.spent + STEPS + 1 > BUDGET or time.perf_counter() > self._until
        if self._optimizer is None or late or (change is not None and not change.trial):
            return None
        leaves, edits, precise = self._start([change] if change else [])
        optimizer = self._copied(leaves)
        if change is not None and change.tune is not None:
            change.tune(optimizer)
        losses: list[float] = []
        pace: float | None = None
        for step in range(STEPS):
            loss, gradients = self.replay.gradients(leaves, edits, precise=precise)
            losses.append(float(loss.detach()))
            if not isfinite(losses[-1]):
                break
            for place, gradient in zip(self.replay.parameters, gradients, strict=True):
                leaves[place].grad = gradient
            optimizer.step()
            pace = self._pace(leaves) if step == 0 else pace
        with torch.no_grad():
            losses.append(float(self.replay.run(leaves, edits, precise=precise)[0]))
        self.spent += len(losses)
        return Trial(tuple(losses), pace)

    def _pace(self, leaves: Sequence[Tensor]) -> float | None:
        """How far the leaves are from where they began, relative to their size."""
        moved = [
            float((leaves[place].detach().float() - kept.float()).norm() / kept.float().norm())
            for place in self.replay.weights
            if (kept := self.replay.kept[place]).any()
        ]
        return median(moved) if moved else None

    def _copied(self, leaves: Sequence[Tensor]) -> Optimizer:
        assert self._optimizer is not None
        memo: dict[int, Any] = {
            id(original): leaves[place]
            for place, original in enumerate(self.replay.recording.leaves)
            if place in self.replay.parameters
        }
        return copy.deepcopy(self._optimizer, memo)
