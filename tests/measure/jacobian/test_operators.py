"""Vectors that are drawn block by block."""

from __future__ import annotations

import pytest
import torch

from gradclinic.measure.jacobian import operators
from gradclinic.measure.jacobian.operators import CPU, drawn


@pytest.mark.parametrize("size", [1, 15, 16, 17, 63, 64, 65, 79, 80, 81, 128, 200])
def test_blocks_are_parts_of_the_whole(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operators, "BLOCK", 64)
    whole = torch.randn(size, dtype=torch.float64, generator=torch.Generator().manual_seed(7))
    assert torch.equal(drawn(size, torch.Generator().manual_seed(7), CPU), whole)
    assert torch.equal(drawn(size, torch.Generator().manual_seed(7), CPU, torch.float32), whole.float())
