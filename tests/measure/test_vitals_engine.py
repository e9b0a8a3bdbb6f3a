"""Loading the kernel, and doing without it."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src"


def run(script: str) -> str:
    """Runs a script in a fresh interpreter, for what can only happen once in a process."""
    path = os.pathsep.join(filter(None, [os.environ.get("PYTHONPATH"), str(SOURCE)]))
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        check=False,
        text=True,
        timeout=100,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


@pytest.mark.parametrize(
    "breakage",
    ["sys.modules['numba'] = None", "import types; sys.modules['numba'] = types.ModuleType('numba')"],
    ids=["missing", "broken"],
)
def test_without_numba_the_reference_serves_silently(breakage: str) -> None:
    out = run(f"""
        import sys
        {breakage}
        import torch
        from gradclinic.measure import vitals
        from gradclinic.measure.vitals.engine import failure
        vitals.prepare(wait=True)
        vitals.prepare()
        table, _ = vitals.measure([torch.tensor([3.0, 4.0])])
        print(vitals.path_in_use(), vitals.ready(), bool(failure()), table["square_sum"][0])
    """)
    assert out.split() == ["reference", "False", "True", "25.0"]


def test_the_kernel_comes_in_its_own_time_and_draws_no_random_number() -> None:
    """Nothing is loaded before ``prepare`` is called, and its thread is gone when it is done."""
    out = run("""
        import random, sys, threading
        import numpy, torch
        from gradclinic.measure import vitals
        vitals.measure([torch.ones(3)])
        assert "numba" not in sys.modules
        random.seed(1); numpy.random.seed(1); torch.manual_seed(1)
        before = random.getstate(), numpy.random.get_state()[1].tolist(), torch.get_rng_state().tolist()
        vitals.prepare()
        first = vitals.measure([torch.tensor([3.0, 4.0])])[0]
        vitals.prepare(wait=True)
        assert vitals.ready() and vitals.path_in_use() == "kernel"
        assert (vitals.measure([torch.tensor([3.0, 4.0])])[0] == first).all()
        assert before == (random.getstate(), numpy.random.get_state()[1].tolist(), torch.get_rng_state().tolist())
        assert threading.active_count() == 1, threading.enumerate()
        print("done")
    """)
    assert out == "done\n"
