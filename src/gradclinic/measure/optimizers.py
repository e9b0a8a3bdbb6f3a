"""What an optimizer makes of a gradient: its preconditioner, how far its momentum carries, and its limit of stability.

Near the first steps every optimizer of this table moves the weights by about -lr·gain·P·g, with P diagonal, and is
stable on a quadratic of curvature H while lr·λ_max(P·H) stays below its limit (Cohen et al. 2021, 2022).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import sqrt
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

Group = Mapping[str, Any]
State = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Rule:
    """One optimizer.  ``preconditioner`` gives P for a parameter from its state, None where it has no state yet."""

    preconditioner: Callable[[Tensor, State, Group], Tensor | None]
    limit: Callable[[Group], float]  #: of lr·λ_max(P·H)
    gain: Callable[[Group], float]  #: sum of all steps that one gradient brings about, in units of lr·P·g
    source: str
    diagonal: bool = True  #: False where P mixes the elements of a parameter, so that λ_max(P·H) has no such form


class NotApplicable(ValueError):
    """The optimizer has no fixed preconditioner, or is not in the table; the message says which."""


def rule_of(optimizer: Optimizer) -> Rule:
    """The rule of an optimizer, by the nearest class in the table that it derives from.

    Raises:
        NotApplicable: it is not in the table, or searches for its own step length (LBFGS, Rprop).
    """
    for kind in type(optimizer).__mro__:
        if kind.__name__ in _SEARCHING:
            raise NotApplicable(f"{kind.__name__} {_SEARCHING[kind.__name__]}")
        if kind.__name__ in RULES:
            return RULES[kind.__name__]
    raise NotApplicable(f"{type(optimizer).__name__} is not in the table of optimizers")


def preconditioner(optimizer: Optimizer) -> dict[Tensor, Tensor]:
    """P of every parameter that wants a gradient, shaped like it: what its state says after the steps so far.

    1 where the state is empty (no gradient reached it).

    Raises:
        NotApplicable: see :func:`rule_of`; or P is not diagonal.
    """
    rule = rule_of(optimizer)
    if not rule.diagonal:
        raise NotApplicable(f"{type(optimizer).__name__} mixes the elements of a matrix")
    found: dict[Tensor, Tensor] = {}
    with torch.no_grad():
        for group in optimizer.param_groups:
            for parameter in group["params"]:
                if parameter.requires_grad:
                    own = rule.preconditioner(parameter, optimizer.state.get(parameter, {}), group)
                    found[parameter] = torch.ones_like(parameter) if own is None else own.to(parameter.dtype)
    return found


def limits(optimizer: Optimizer) -> list[float]:
    """The limit of stability of each parameter group."""
    rule = rule_of(optimizer)
    return [rule.limit(group) for group in optimizer.param_groups]


def gains(optimizer: Optimizer) -> list[float]:
    """How far one gradient carries in each parameter group, in units of lr·P·g."""
    rule = rule_of(optimizer)
    return [rule.gain(group) for group in optimizer.param_groups]


# -- preconditioners -----------------------------------------------------------------------------------------


def _identity(parameter: Tensor, state: State, group: Group) -> Tensor | None:
    return None


def _step(state: State) -> float:
    return float(state["step"])


def _adam(parameter: Tensor, state: State, group: Group) -> Tensor | None:
    square: Tensor | None = state.get("max_exp_avg_sq", state.get("exp_avg_sq"))
    if square is None:
        return None
    corrected: Tensor = square / (1 - float(group["betas"][1]) ** _step(state))
    return 1 / (corrected.sqrt() + float(group["eps"]))


def _radam(parameter: Tensor, state: State, group: Group) -> Tensor | None:
    """Until enough steps tell the variance, RAdam goes along the plain momentum (Liu 2020, algorithm 2)."""
    adapted = _adam(parameter, state, group)
    if adapted is None:
        return None
    beta, step = float(group["betas"][1]), _step(state)
    longest = 2 / (1 - beta) - 1
    length = longest - 2 * step * beta**step / (1 - beta**step)
    if length <= 5:
        return None
    rectified = ((length - 4) * (length - 2) * longest) / ((longest - 4) * (longest - 2) * length)
    return adapted * sqrt(rectified)


def _adamax(parameter: Tensor, state: State, group: Group) -> Tensor | None:
    largest: Tensor | None = state.get("exp_inf")
    return None if largest is None else 1 / largest.clamp_min(float(group["eps"]))


def _rmsprop(parameter: Tensor, state: State, group: Group) -> Tensor | None:
    square: Tensor | None = state.get("square_avg")
    if square is None:
        return None
    if group.get("centered"):
        square = (square - state["grad_avg"] ** 2).clamp_min(0)
    return 1 / (square.sqrt() + float(group["eps"]))


def _adagrad(parameter: Tensor, state: State, group: Group) -> Tensor | None:
    total: Tensor | None = state.get("sum")
    if total is None:
        return None
    decayed = 1 + max(_step(state) - 1, 0) * float(group["lr_decay"])
    return 1 / ((total.sqrt() + float(group["eps"])) * decayed)


def _adadelta(parameter: Tensor, state: State, group: Group) -> Tensor | None:
    square: Tensor | None = state.get("square_avg")
    delta: Tensor | None = state.get("acc_delta")
    if square is None or delta is None:
        return None
    eps = float(group["eps"])
    return (delta + eps).sqrt() / (square + eps).sqrt()


# -- limits and gains ----------------------------------------------------------------------------------------


def _heavy_ball(group: Group) -> float:
    momentum, undamped = float(group.get("momentum", 0)), 1 - float(group.get("dampening", 0))
    if group.get("nesterov"):
        return 2 * (1 + momentum) / (1 + 2 * momentum)
    # The first gradient is not dampened in torch; all later ones are.
    return 2 * (1 + momentum) / (undamped if momentum else 1)


def _heavy_ball_gain(group: Group) -> float:
    momentum, undamped = float(group.get("momentum", 0)), 1 - float(group.get("dampening", 0))
    return (undamped if momentum else 1) / (1 - momentum) if momentum < 1 else float("inf")


def _averaged(group: Group) -> float:
    beta = float(group["betas"][0])
    return 2 * (1 + beta) / (1 - beta)


def _averaged_nesterov(group: Group) -> float:
    """NAdam steps along μ·m + (1-μ)·g, with m the average that has g in it already.

    At the limit the weights turn round each step (z = -1), where m = (1-β)/(1+β)·g.  torch lets μ rise from β/2 over
    thousands of steps; the first is the smallest, and what it throws out does not come back.
    """
    beta = float(group["betas"][0])
    first = beta * (1 - 0.5 * float(0.96 ** float(group["momentum_decay"])))
    return 2 / (first * (1 - beta) / (1 + beta) + 1 - first)


def _plain_limit(group: Group) -> float:
    return 2.0


def _one(group: Group) -> float:
    return 1.0


_HEAVY = "Polyak 1964; Goh 2017: heavy ball on a quadratic is stable below 2(1+β)/λ"
_COHEN = "Cohen 2022: with the preconditioner fixed, Adam is an averaged heavy ball: 2(1+β₁)/(1-β₁)"
_ADAM = Rule(_adam, _averaged, _one, _COHEN)
#: By class name, so that a subclass, and an optimizer of a torch that does not have it, need no import.
RULES: dict[str, Rule] = {
    "SGD": Rule(_identity, _heavy_ball, _heavy_ball_gain, _HEAVY),
    "ASGD": Rule(_identity, _plain_limit, _one, "Polyak and Juditsky 1992: plain steps, averaged afterwards"),
    "Adam": _ADAM,
    "AdamW": _ADAM,
    "SparseAdam": _ADAM,
    "NAdam": Rule(_adam, _averaged_nesterov, _one, "Dozat 2016; at μ = β it is Cohen 2022's 2(1+β)/((1-β)(1+2β))"),
    "RAdam": Rule(_radam, _averaged, _one, "Liu 2020; Cohen 2022"),
    "Adamax": Rule(_adamax, _averaged, _one, "Kingma 2015, algorithm 2; Cohen 2022"),
    "RMSprop": Rule(_rmsprop, _heavy_ball, _heavy_ball_gain, "Hinton 2012; Cohen 2022: 2 without momentum"),
    "Adagrad": Rule(_adagrad, _plain_limit, _one, "Duchi 2011; Cohen 2022: 2 on the preconditioned Hessian"),
    "Adadelta": Rule(_adadelta, _plain_limit, _one, "Zeiler 2012"),
    "Muon": Rule(_identity, _plain_limit, _one, "Jordan 2024: steps along an orthogonalised momentum", diagonal=False),
}
_SEARCHING = {
    "LBFGS": "builds its own curvature and searches along the line: a window of learning rates is not applicable",
    "Rprop": "adapts one step length per weight from signs: a window of learning rates is not applicable",
}
