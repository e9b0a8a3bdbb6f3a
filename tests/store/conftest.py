from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gradclinic
from gradclinic.schema.record import RunInfo, Step
from gradclinic.schema.vitals import VITALS, Vitals

#: What a script in a process of its own starts with.
PREAMBLE = """
import os, signal, sys, time
from pathlib import Path
import numpy as np
from gradclinic.schema.record import Ending, Event, RunInfo, Step
from gradclinic.schema.vitals import VITALS
from gradclinic.store import Writer, read
path = Path(sys.argv[1])
INFO = RunInfo(("train.py",), 1.5, "3.11", "linux", "0.1", os.getpid(), steps_planned=100)
rng = np.random.default_rng(0)
def step(tick, loss=0.5, parameters=20):
    table = np.frombuffer(rng.bytes(parameters * VITALS.itemsize), VITALS).copy()
    table["non_finite"] = 0
    return Step(tick, 0, tick, tick / 10, loss, 1, (0.1,), gradients=table)
"""


@pytest.fixture
def info() -> RunInfo:
    return RunInfo(("train.py", "--lr", "1"), 1.5, "3.11", "linux", "0.1", 7, steps_planned=100)


@pytest.fixture
def make_step() -> Callable[..., Step]:
    """Makes steps whose gradients hardly compress, as real ones."""
    rng = np.random.default_rng(0)

    def make(tick: int, loss: float | None = 0.5, parameters: int = 20, **fields: Any) -> Step:
        table: Vitals = np.frombuffer(rng.bytes(parameters * VITALS.itemsize), VITALS).copy()
        table["non_finite"] = 0
        plain: dict[str, Any] = {"optimizer": 0, "step": tick, "time": tick / 10, "backwards": 1, "lr": (0.1,)}
        return Step(tick=tick, loss=loss, gradients=table, **(plain | fields))

    return make


@pytest.fixture
def child(tmp_path: Path) -> Callable[..., subprocess.Popen[str]]:
    """Starts a script in a process of its own, on the record ``tmp_path / "run.db"``."""

    def start(script: str, **options: Any) -> subprocess.Popen[str]:
        folder = str(Path(gradclinic.__file__).parents[1])
        return subprocess.Popen(
            [sys.executable, "-c", PREAMBLE + script, str(tmp_path / "run.db")],
            env=os.environ | {"PYTHONPATH": folder},
            stdout=subprocess.PIPE,
            text=True,
            **options,
        )

    return start


@pytest.fixture
def run_child(child: Callable[..., subprocess.Popen[str]]) -> Callable[[str], int]:
    """Runs such a script to its end; returns its exit status."""

    def run(script: str) -> int:
        with child(script) as process:
            try:
                return process.wait(100)
            finally:
                process.kill()

    return run


@pytest.fixture
def same() -> Callable[[Any, Any], bool]:
    """Equality of values, of types, of every bit of an array, and of nan with nan."""

    def equal(left: Any, right: Any) -> bool:
        if type(left) is not type(right):
            return False
        if dataclasses.is_dataclass(left):
            names = [field.name for field in dataclasses.fields(left)]
            return all(equal(getattr(left, name), getattr(right, name)) for name in names)
        if isinstance(left, np.ndarray):
            return (left.dtype, left.shape, left.tobytes()) == (right.dtype, right.shape, right.tobytes())
        if isinstance(left, (tuple, list)):
            return len(left) == len(right) and all(map(equal, left, right))
        if isinstance(left, dict):
            return list(left) == list(right) and all(equal(left[key], right[key]) for key in left)
        return repr(left) == repr(right)

    return equal
