"""Which settings are searched, and between which values."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from torch.optim import Optimizer

from gradclinic.errors import UserError

from ..recipe import Change, Recipe
from ..remedies.momentum import momentum_of
from ..remedies.warmup import SHARE
from ..tuning.grid import Span

if TYPE_CHECKING:
    import optuna

#: What can be searched; the order in which it is told.
NAMES = ("lr", "momentum", "weight-decay", "schedule")
BATCH_SIZE = "batch-size"
#: 1 - momentum, on a log scale, since 1/(1 - momentum) is how many steps it averages over (Goh 2017): from none to a
#: hundred, which is about as many as fit into a short training.
DAMPING = Span(0.01, 1.0)
#: Weight decays, on a log scale; what lies in the lowest decade stands for none at all.
DECAY_LOW = 1e-7
NO_DECAY = 1e-6
#: Published decays end at 0.1 or so where they are part of the gradient, which they are added to, and at 1 where they
#: are decoupled from it (Loshchilov and Hutter 2019, arXiv:1711.05101).
DECAY_HIGH, DECOUPLED_HIGH = 0.1, 1.0
#: "none", or along a line or half a cosine to 0 after a warm-up.
SCHEDULES = ("none", "cosine", "linear")

#: A setting's value: a number, or the schedule's name.
Settings = Mapping[str, float | str]


def check_names(names: Sequence[str]) -> tuple[str, ...]:
    """Each once, in the order of :data:`NAMES`.

    Raises:
        UserError: one is not known, or there is none.
    """
    wanted = [name.strip().lower().replace("_", "-") for name in names if name.strip()]
    for name in wanted:
        if name == BATCH_SIZE:
            raise UserError(
                "--search batch-size: the batch size is the task's own, since its batches() take no size;"
                f" search {', '.join(NAMES)}, and gradclinic compare says what a larger batch would buy"
            )
        if name not in NAMES:
            close = difflib.get_close_matches(name, NAMES, n=1)
            hint = f"did you mean {close[0]}? " if close else ""
            raise UserError(f"--search knows no {name!r}; {hint}there are {', '.join(NAMES)}")
    if not wanted:
        raise UserError(f"--search needs a setting at least: {', '.join(NAMES)}")
    return tuple(name for name in NAMES if name in wanted)


def own_settings(optimizer: Optimizer) -> dict[str, float | str]:
    """What the user has: the largest rate of the groups, and of those that there are momentum and weight decay."""
    groups = optimizer.param_groups
    found: dict[str, float | str] = {"lr": max(float(group["lr"]) for group in groups)}
    momenta = [momentum for group in groups if (momentum := momentum_of(group)) is not None]
    decays = [float(group["weight_decay"]) for group in groups if "weight_decay" in group]
    found |= {"momentum": max(momenta)} if momenta else {}
    found |= {"weight-decay": max(decays)} if decays else {}
    return found


@dataclass(frozen=True, slots=True)
class Space:
    """The settings that are searched, and between which values."""

    names: tuple[str, ...]
    rates: Span | None = None  #: where the learning rate is among them
    decay: float = DECAY_HIGH  #: the highest

    @classmethod
    def of(cls, names: Sequence[str], optimizer: Optimizer, rates: Span | None) -> Space:
        """For the settings that ``optimizer`` has.

        Raises:
            UserError: it has no momentum or weight decay to search.
        """
        own, kind = own_settings(optimizer), type(optimizer).__name__
        for name in names:
            if name not in own and name != "schedule":
                left = ",".join(other for other in names if other != name) or "lr"
                raise UserError(f"--search {name}: {kind} has no {name.replace('-', ' ')}; give --search {left}")
        apart = kind == "AdamW" or any(group.get("decoupled_weight_decay") for group in optimizer.param_groups)
        return cls(tuple(names), rates, DECOUPLED_HIGH if apart else DECAY_HIGH)

    def suggest(self, trial: optuna.Trial) -> None:
        """Gives a trial values of all parameters that it has not yet."""
        if self.rates is not None:
            trial.suggest_float("lr", self.rates.low, self.rates.high, log=True)
        if "momentum" in self.names:
            trial.suggest_float("1 - momentum", DAMPING.low, DAMPING.high, log=True)
        if "weight-decay" in self.names:
            trial.suggest_float("weight-decay", DECAY_LOW, self.decay, log=True)
        if "schedule" in self.names:
            trial.suggest_categorical("schedule", SCHEDULES)

    def settings(self, parameters: Mapping[str, Any]) -> dict[str, float | str]:
        """What a trial's parameters stand for, to three digits."""
        found: dict[str, float | str] = {}
        if "lr" in parameters:
            found["lr"] = _rounded(parameters["lr"])
        if "1 - momentum" in parameters:
            found["momentum"] = round(1 - _rounded(parameters["1 - momentum"]), 5)
        if "weight-decay" in parameters:
            decay = parameters["weight-decay"]
            found["weight-decay"] = _rounded(decay) if decay >= NO_DECAY else 0.0
        if "schedule" in parameters:
            found["schedule"] = str(parameters["schedule"])
        return found

    def to_dict(self) -> dict[str, Any]:
        """The lowest and the highest value of each, or all there are."""
        rates = self.rates or Span(0.0, 0.0)
        ranges = {
            "lr": [rates.low, rates.high],
            "momentum": [1 - DAMPING.high, 1 - DAMPING.low],
            "weight-decay": [0.0, self.decay],
            "schedule": list(SCHEDULES),
        }
        return {name: ranges[name] for name in self.names}


def _rounded(value: float) -> float:
    return float(f"{value:.3g}")


def recipe_of(settings: Settings, steps: int) -> Recipe:
    """The changes that set them for a training of ``steps`` steps, over which a schedule spans."""
    changes = []
    if "lr" in settings:
        changes.append(Change("learning_rate", {"lr": settings["lr"]}))
    if "momentum" in settings:
        changes.append(Change("momentum", {"momentum": settings["momentum"]}))
    if "weight-decay" in settings:
        changes.append(Change("weight_decay", {"weight_decay": settings["weight-decay"]}))
    if settings.get("schedule", "none") != "none":
        warmup = round(SHARE * steps)
        changes.append(Change("schedule", {"kind": settings["schedule"], "steps": steps, "warmup": warmup}))
    return Recipe.of(*changes)
