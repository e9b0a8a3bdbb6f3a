"""The operation that a report names against the function that the script calls."""

from __future__ import annotations

from typing import Any

import pytest

from corpus.index import Origin
from corpus.origin import Named, is_right, named_origin


def accepted(operation: str, module: str = "", direction: str = "forward") -> Origin:
    return Origin((operation,), (module,), (direction,))


@pytest.mark.parametrize(
    ("function", "operation"),
    [
        ("log", "Log"),
        ("linear", "Addmm"),
        ("matmul", "Mm"),
        ("cross_entropy", "NllLoss"),
        ("cross_entropy", "NllLoss2D"),
        ("nll_loss", "NllLoss"),
        ("log_softmax", "LogSoftmax"),
        ("conv2d", "Convolution"),
        ("torch.sqrt", "Sqrt"),
        ("ctc_loss", "CtcLoss"),
        ("log1p", "Log1P"),
        ("norm", "LinalgVectorNorm"),
        ("layer_norm", "NativeLayerNorm"),
        ("binary_cross_entropy_with_logits", "BinaryCrossEntropyWithLogits"),
    ],
)
def test_autograd_names_are_the_functions(function: str, operation: str) -> None:
    assert is_right(Named(operation, "", "forward"), accepted(function))


@pytest.mark.parametrize(
    ("function", "operation"), [("log", "Log2"), ("nll_loss", "LogSoftmax"), ("div", "Mul"), ("log", "")]
)
def test_another_operation_is_wrong(function: str, operation: str) -> None:
    assert not is_right(Named(operation, "", "forward"), accepted(function))


def test_the_module_counts_and_the_root_has_two_names() -> None:
    assert is_right(Named("Log", "head.norm", "forward"), accepted("log", "head.norm"))
    assert not is_right(Named("Log", "head", "forward"), accepted("log", "head.norm"))
    assert is_right(Named("Log", "", "forward"), accepted("log", "Net"))
    assert is_right(Named("Log", "Net", "forward"), accepted("log"))
    assert not is_right(Named("Log", "net", "forward"), accepted("log"))


def test_the_direction_counts_where_it_is_told() -> None:
    assert not is_right(Named("Sqrt", "", "forward"), accepted("sqrt", direction="backward"))
    assert is_right(Named("Sqrt", "", ""), accepted("sqrt", direction="backward"))


def test_nothing_named_is_wrong() -> None:
    assert not is_right(None, accepted("log"))


def finding(condition: str, **evidence: Any) -> dict[str, Any]:
    return {"condition": condition, "where": [], "evidence": evidence}


def test_the_origin_is_read_from_the_finding_or_from_a_consequence() -> None:
    direct = finding("non_finite", op="Log", module="head", direction="forward")
    assert named_origin({"findings": [finding("plateau"), direct]}) == Named("Log", "head", "forward")
    folded = {"condition": "non_finite", "cause": "unknown", "where": ["head", "Log"], "step": 3}
    folded |= {"op": "Log", "module": "head", "direction": "backward"}
    assert named_origin({"findings": [finding("divergence", consequences=[folded])]}) == Named(
        "Log", "head", "backward"
    )
    assert named_origin({"findings": [finding("divergence")]}) is None
