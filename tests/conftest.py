"""What every test gets: one thread, a fixed seed, and no settings of the shell that it was started from."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

# Before torch is imported, here and in every script that a test starts: two workers share two cores.
os.environ["OMP_NUM_THREADS"] = "1"

import pytest
from hypothesis import settings

# A failure must come back when the test is run again, and a busy machine must not make one.
settings.register_profile("gradclinic", deadline=None, derandomize=True, max_examples=50)
settings.load_profile("gradclinic")

#: What a shell, a launcher of ranks or gradclinic itself may have set.
FOREIGN = ("RANK", "LOCAL_RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT", "PYTHONPATH", "FORCE_COLOR", "NO_COLOR")


@pytest.fixture(autouse=True)
def _same_start(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in [*FOREIGN, *(name for name in os.environ if name.startswith("GRADCLINIC_"))]:
        monkeypatch.delenv(name, raising=False)
    if torch := sys.modules.get("torch"):
        torch.manual_seed(0)
    yield
    # Where anything in the process has been compiled, gradclinic attaches no module hook any more.
    if dynamo := sys.modules.get("torch._dynamo"):
        dynamo.reset()
