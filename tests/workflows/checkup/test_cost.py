"""What a check-up may cost: at most 40 backward passes through the model, by the batches that pass."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from torch import Tensor, nn

import gradclinic

from . import tasks

BATCH = 32


class Counting(nn.Module):
    """Each backward pass through it counts, by the share of a batch that it carries."""

    passes: ClassVar[float] = 0.0

    def __init__(self, depth: int) -> None:
        super().__init__()
        self.first, self.rest = nn.Linear(8, 32), tasks.plain(depth=depth)
        self.rest[0] = nn.Linear(32, 32)

    def forward(self, x: Tensor) -> Tensor:
        h = self.first(x)
        if h.requires_grad:
            h.register_hook(self.count)
        out: Tensor = self.rest(h.relu())
        return out

    @staticmethod
    def count(gradient: Tensor) -> None:
        Counting.passes += gradient.shape[0] / BATCH


def test_a_check_up_takes_at_most_forty_backward_passes(tmp_path: Path) -> None:
    Counting.passes = 0.0
    answer = gradclinic.checkup(lambda: tasks.made(Counting(3)), out=tmp_path)
    assert answer.verdict == "healthy"
    assert not [event for event in answer.record.events if event.kind == "unmeasured"]
    assert 24 <= Counting.passes <= 40
