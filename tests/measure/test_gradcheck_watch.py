"""Recording hand-written functions in a live run."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torch._functorch import utils as functorch_utils
from torch.utils.checkpoint import checkpoint

from gradclinic.measure.gradcheck import FunctionWatch


class Cube(torch.autograd.Function):
    """Wrong: 2 x² where 3 x² belongs."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        sys.stdout.write("cube")
        return x**3

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        return grad * 2 * ctx.saved_tensors[0] ** 2


class RightCube(Cube):
    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        return grad * 3 * ctx.saved_tensors[0] ** 2


class Apply(torch.autograd.Function):
    """Runs a module inside, which may have state."""

    @staticmethod
    def forward(ctx: Any, module: torch.nn.Module, x: Tensor) -> Tensor:
        return module(x)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[None, Tensor]:
        return None, 7 * grad


bound_before = Cube.apply


def leaf(*shape: int) -> Tensor:
    return torch.linspace(0.5, 1.5, torch.Size(shape).numel()).reshape(shape).requires_grad_()


@pytest.fixture
def watch() -> Any:
    watch = FunctionWatch()
    watch.attach()
    yield watch
    watch.detach()


def test_finds_a_wrong_function_and_says_where(watch: FunctionWatch) -> None:
    Cube.apply(leaf(5))
    (event,) = watch.check()
    assert event["function"] == "Cube"
    assert event["input"] == "x"
    assert event["calls"] == 1
    lines = Path(event["file"]).read_text().splitlines()
    assert Path(event["file"]).name == Path(__file__).name
    assert any("def backward" in line for line in lines[event["line"] - 1 : event["line"] + 1])
    assert event["analytic"] / event["numeric"] == pytest.approx(2 / 3)
    assert event["relative_error"] == pytest.approx(1 / 3)
    assert (event["fit"], event["deliberate"]) == ("scale", False)
    assert event["scale"] == pytest.approx(2 / 3)


def test_sees_an_apply_that_was_bound_before(watch: FunctionWatch) -> None:
    bound_before(leaf(5))
    assert [event["function"] for event in watch.check()] == ["Cube"]


def test_a_right_function_is_no_event(watch: FunctionWatch) -> None:
    RightCube.apply(leaf(5))
    assert watch.check() == []


def test_checking_is_silent_and_forgets(watch: FunctionWatch, capsys: pytest.CaptureFixture[str]) -> None:
    Cube.apply(leaf(5))
    capsys.readouterr()
    assert len(watch.check()) == 1
    assert capsys.readouterr().out == ""
    assert watch.check() == []


def test_does_not_record_its_own_calls(watch: FunctionWatch) -> None:
    Cube.apply(leaf(5))
    watch.check()
    assert watch.check() == []


def test_detach_restores_what_was_there_and_stops() -> None:
    seam, apply = functorch_utils.unwrap_dead_wrappers, torch.autograd.Function.__dict__["apply"]
    watch = FunctionWatch()
    watch.attach()
    watch.attach()
    assert functorch_utils.unwrap_dead_wrappers is not seam
    assert watch.attached
    watch.detach()
    assert functorch_utils.unwrap_dead_wrappers is seam
    assert not watch.attached
    assert torch.autograd.Function.__dict__["apply"] is apply
    Cube.apply(leaf(5))
    assert watch.check() == []


def test_what_was_recorded_outlives_detach() -> None:
    watch = FunctionWatch()
    watch.attach()
    Cube.apply(leaf(5))
    watch.detach()
    assert len(watch.check()) == 1


def test_keeps_copies_of_the_arguments_as_they_were(watch: FunctionWatch) -> None:
    x = leaf(5)
    Cube.apply(x)
    with torch.no_grad():
        x.fill_(float("nan"))
    assert len(watch.check()) == 1


def test_values_and_gradients_are_those_of_the_plain_run() -> None:
    def run() -> tuple[Tensor, Tensor]:
        x = leaf(5)
        y = Cube.apply(x).sin().sum()
        y.backward()
        assert x.grad is not None
        return y.detach(), x.grad

    plain = run()
    state = torch.get_rng_state()
    watch = FunctionWatch()
    watch.attach()
    watched = run()
    watch.check()
    watch.detach()
    assert all(torch.equal(a, b) for a, b in zip(plain, watched, strict=True))
    assert torch.equal(state, torch.get_rng_state())


def test_an_error_in_the_users_forward_is_the_users(watch: FunctionWatch) -> None:
    with pytest.raises(TypeError):
        Cube.apply("no tensor")


def test_at_most_so_many_calls_and_classes() -> None:
    watch = FunctionWatch(calls=2, classes=1)
    watch.attach()
    try:
        for _ in range(5):
            Cube.apply(leaf(10))
        type("Other", (Cube,), {}).apply(leaf(5))
    finally:
        watch.detach()
    (event,) = watch.check()
    assert event["function"] == "Cube"
    assert event["calls"] == 2


@pytest.mark.parametrize(("size", "events"), [(10, 1), (11, 0)])
def test_passes_over_large_calls(size: int, events: int) -> None:
    watch = FunctionWatch(elements=10)
    watch.attach()
    Cube.apply(leaf(size))
    watch.detach()
    assert len(watch.check()) == events


@pytest.mark.parametrize(("folder", "events"), [("/home/me/site-packages/pkg", 0), ("/home/me/pkg", 1)])
def test_passes_over_installed_packages(watch: FunctionWatch, folder: str, events: int) -> None:
    source = """
class Wrong(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return 3 * x
    @staticmethod
    def backward(ctx, grad):
        return grad
"""
    scope: dict[str, Any] = {"torch": torch}
    exec(compile(source, f"{folder}/functions.py", "exec"), scope)
    scope["Wrong"].apply(leaf(5))
    assert len(watch.check()) == events


def test_passes_over_what_cannot_be_run_again_safely(watch: FunctionWatch) -> None:
    norm = torch.nn.BatchNorm1d(3)
    Apply.apply(norm, leaf(4, 3))
    seen = norm.num_batches_tracked.item()
    assert watch.check() == []
    assert norm.num_batches_tracked.item() == seen


def test_passes_over_torchs_own_and_calls_that_nobody_differentiates(watch: FunctionWatch) -> None:
    checkpoint(torch.sin, leaf(5), use_reentrant=True)
    with torch.no_grad():
        Cube.apply(leaf(5))
    Cube.apply(leaf(5).detach())
    assert watch.check() == []


def test_silent_while_distributed(watch: FunctionWatch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.distributed, "is_initialized", lambda: True)
    Cube.apply(leaf(5))
    assert watch.check() == []
