"""Each limit of stability against the optimizer itself on a quadratic, each preconditioner against a step of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn
from torch.optim import Optimizer

from gradclinic.measure.optimizers import RULES, NotApplicable, gains, limits, preconditioner, rule_of

ALMOST_ONE = 1 - 1e-12
CURVATURE = 3.0


def frozen(**state: float) -> Callable[[Optimizer], None]:
    """Sets the running squares to a constant that small gradients do not move, so that P is fixed."""

    def prepare(optimizer: Optimizer) -> None:
        for group in optimizer.param_groups:
            for parameter in group["params"]:
                kept = optimizer.state[parameter]
                for name, value in state.items():
                    kept[name] = torch.full_like(kept[name], value)

    return prepare


def nothing(optimizer: Optimizer) -> None:
    pass


LATE = 1e15  # bias corrections are gone at this step
SQUARE = {"exp_avg_sq": 4.0, "step": LATE, "exp_avg": 0.0}
CASES: dict[str, tuple[Callable[[Any, float], Optimizer], Callable[[Optimizer], None]]] = {
    "SGD": (torch.optim.SGD, nothing),
    "momentum": (lambda p, lr: torch.optim.SGD(p, lr, momentum=0.9), nothing),
    "dampened": (lambda p, lr: torch.optim.SGD(p, lr, momentum=0.8, dampening=0.5), nothing),
    "Nesterov": (lambda p, lr: torch.optim.SGD(p, lr, momentum=0.9, nesterov=True), nothing),
    "ASGD": (lambda p, lr: torch.optim.ASGD(p, lr, lambd=0.0, alpha=0.0), nothing),
    "Adam": (lambda p, lr: torch.optim.Adam(p, lr, betas=(0.9, ALMOST_ONE)), frozen(**SQUARE)),
    "AdamW": (lambda p, lr: torch.optim.AdamW(p, lr, betas=(0.5, ALMOST_ONE), weight_decay=0), frozen(**SQUARE)),
    "NAdam": (
        lambda p, lr: torch.optim.NAdam(p, lr, betas=(0.9, ALMOST_ONE), momentum_decay=1e-20),
        frozen(**SQUARE, mu_product=0.0),
    ),
    "Adamax": (
        lambda p, lr: torch.optim.Adamax(p, lr, betas=(0.9, ALMOST_ONE)),
        frozen(exp_inf=2.0, step=LATE, exp_avg=0.0),
    ),
    "RMSprop": (lambda p, lr: torch.optim.RMSprop(p, lr, alpha=ALMOST_ONE), frozen(square_avg=4.0)),
    "RMSprop with momentum": (
        lambda p, lr: torch.optim.RMSprop(p, lr, alpha=ALMOST_ONE, momentum=0.9),
        frozen(square_avg=4.0, momentum_buffer=0.0),
    ),
    "Adagrad": (torch.optim.Adagrad, frozen(sum=4.0)),
    "Adadelta": (
        lambda p, lr: torch.optim.Adadelta(p, lr, rho=ALMOST_ONE),
        frozen(square_avg=4.0, acc_delta=1.0),
    ),
}


def quadratic(case: str, times: float) -> float:
    """How much larger the weight is after 600 steps at ``times`` the limit of stability."""
    make, prepare = CASES[case]
    weight = nn.Parameter(torch.full((1,), 1e-6, dtype=torch.float64))
    optimizer = make([weight], 1.0)

    def step() -> None:
        optimizer.zero_grad()
        (CURVATURE / 2 * weight.square().sum()).backward()
        optimizer.step()

    lr = optimizer.param_groups[0]["lr"]
    optimizer.param_groups[0]["lr"] = torch.tensor(0.0) if isinstance(lr, torch.Tensor) else 0.0
    step()
    prepare(optimizer)
    with torch.no_grad():
        weight.fill_(1e-6)
    scale = float(preconditioner(optimizer)[weight])
    rate = times * limits(optimizer)[0] / (scale * CURVATURE)
    optimizer.param_groups[0]["lr"] = rate
    for parameter_state in optimizer.state.values():
        if "eta" in parameter_state:  # ASGD keeps its own rate
            parameter_state["eta"] = torch.full_like(parameter_state["eta"], rate)
    for _ in range(600):
        step()
        if abs(float(weight.detach())) > 1e-4:
            break  # before its squares move the preconditioner
    return abs(float(weight.detach())) / 1e-6


@pytest.mark.parametrize("case", CASES)
def test_the_limit_of_stability(case: str) -> None:
    assert quadratic(case, 0.97) < 0.1
    assert quadratic(case, 1.03) > 10


STEPPED: dict[str, Callable[[Any], Optimizer]] = {
    "SGD": lambda p: torch.optim.SGD(p, 0.01),
    "Adam": lambda p: torch.optim.Adam(p, 0.01, betas=(0.0, 0.99)),
    "amsgrad": lambda p: torch.optim.Adam(p, 0.01, betas=(0.0, 0.99), amsgrad=True),
    "RAdam": lambda p: torch.optim.RAdam(p, 0.01, betas=(0.0, 0.9)),
    "Adamax": lambda p: torch.optim.Adamax(p, 0.01, betas=(0.0, 0.99)),
    "RMSprop": lambda p: torch.optim.RMSprop(p, 0.01),
    "centred": lambda p: torch.optim.RMSprop(p, 0.01, centered=True, alpha=0.5),
    "Adagrad": lambda p: torch.optim.Adagrad(p, 0.01, lr_decay=0.1),
}


@pytest.mark.parametrize("steps", [1, 4, 20])
@pytest.mark.parametrize("case", STEPPED)
def test_a_step_is_minus_the_rate_times_p_times_the_gradient(case: str, steps: int) -> None:
    torch.manual_seed(0)
    weight = nn.Parameter(torch.randn(7, dtype=torch.float64))
    optimizer = STEPPED[case]([weight])
    for _ in range(steps):
        weight.grad = torch.randn(7, dtype=torch.float64)
        before = weight.detach().clone()
        optimizer.step()
    expected = -0.01 * preconditioner(optimizer)[weight] * weight.grad
    torch.testing.assert_close(weight.detach() - before, expected, rtol=1e-6, atol=1e-12)


@pytest.mark.parametrize(("momentum", "dampening", "gain"), [(0.0, 0.0, 1.0), (0.9, 0.0, 10.0), (0.9, 0.9, 1.0)])
def test_how_far_one_gradient_carries(momentum: float, dampening: float, gain: float) -> None:
    weight = nn.Parameter(torch.zeros(1, dtype=torch.float64))
    optimizer = torch.optim.SGD([weight], 1.0, momentum=momentum, dampening=dampening)
    weight.grad = torch.zeros(1, dtype=torch.float64)
    optimizer.step()  # torch does not dampen the first gradient of all
    weight.grad = torch.ones(1, dtype=torch.float64)
    optimizer.step()
    for _ in range(500):
        weight.grad = torch.zeros(1, dtype=torch.float64)
        optimizer.step()
    assert gains(optimizer) == [pytest.approx(gain)]
    assert -float(weight.detach()) == pytest.approx(gain)


def test_a_parameter_without_a_gradient_has_the_identity() -> None:
    used, unused, frozen_one = (nn.Parameter(torch.ones(2)) for _ in range(3))
    frozen_one.requires_grad_(False)
    optimizer = torch.optim.Adam([used, unused, frozen_one])
    used.grad = torch.ones(2)
    optimizer.step()
    found = preconditioner(optimizer)
    assert set(found) == {used, unused}
    assert torch.equal(found[unused], torch.ones(2))


def test_a_subclass_follows_its_parent() -> None:
    class Mine(torch.optim.AdamW):
        pass

    assert rule_of(Mine([nn.Parameter(torch.ones(1))])) is RULES["AdamW"]


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (torch.optim.LBFGS, "not applicable"),
        (torch.optim.Rprop, "not applicable"),
        (lambda p: type("Odd", (Optimizer,), {})(p, {}), "Odd is not in the table"),
    ],
)
def test_what_has_no_window_says_so(make: Callable[[Any], Optimizer], says: str) -> None:
    with pytest.raises(NotApplicable, match=says):
        limits(make([nn.Parameter(torch.ones(1))]))


def test_muon_has_no_diagonal() -> None:
    optimizer = torch.optim.Muon([nn.Parameter(torch.ones(2, 2))])
    assert not rule_of(optimizer).diagonal
    with pytest.raises(NotApplicable, match="mixes"):
        preconditioner(optimizer)


def test_every_optimizer_of_torch_is_known() -> None:
    names = [name for name, kind in vars(torch.optim).items() if isinstance(kind, type) and issubclass(kind, Optimizer)]
    unknown = set(names) - set(RULES) - {"Optimizer", "LBFGS", "Rprop", "Adafactor"}
    assert not unknown
