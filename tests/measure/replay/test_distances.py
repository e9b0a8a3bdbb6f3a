"""Distances, or similarities with a minus, as the logits of a softmax."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gradclinic.measure.replay import Tape, turned_similarity

torch.manual_seed(0)
ONE, TWO, X, LABELS = nn.Linear(8, 6), nn.Linear(8, 6), torch.randn(16, 8), torch.arange(16)


def a() -> Tensor:
    return F.normalize(ONE(X), dim=1)


def b() -> Tensor:
    return F.normalize(TWO(X), dim=1)


def of(logits: Callable[[], Tensor]) -> str | None:
    tape = Tape(lambda: "")
    tape.begin([X])
    loss = F.cross_entropy(logits(), LABELS)
    tape.close([loss])
    tape.leave()
    found = turned_similarity(tape.recording)
    return found["what"] if found else None


@pytest.mark.parametrize(
    ("logits", "what"),
    [
        (lambda: torch.cdist(a(), b()) / 0.1, "distance"),
        (lambda: torch.cdist(a(), b()).T * 5, "distance"),
        (lambda: -a() @ b().T / 0.1, "similarity"),
        (lambda: -F.cosine_similarity(a()[:, None], b()[None], dim=-1), "similarity"),
    ],
)
def test_what_is_near_gets_the_smallest_logit(logits: Callable[[], Tensor], what: str):
    assert of(logits) == what


@pytest.mark.parametrize(
    "logits",
    [
        lambda: -torch.cdist(a(), b()) / 0.1,
        lambda: a() @ b().T / 0.1,
        lambda: 1 - torch.cdist(a(), b()),
        lambda: -ONE(X) @ TWO(X).T,
        lambda: TWO(X).repeat(1, 3),
    ],
)
def test_what_is_near_gets_the_largest_and_other_logits_are_left_alone(logits: Callable[[], Tensor]):
    assert of(logits) is None
