"""Every claim of every experiment, at sizes of a few seconds; and that each claim could have failed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gradclinic.lab import catalogue
from gradclinic.lab.runner import run

#: What is smaller than ``--quick``.
SMALLER = {
    "gradient-descent": {"epochs": 900},
    "sigmoid-vs-relu": {"steps": 200},
    "init": {"steps": 400},
    "depth-scale": {"weights": (1.0, 1.76), "depths": (15, 45), "steps": 150},
    "isometry": {"width": 200, "draws": 3, "depths": (8, 24)},
    "batchnorm-explosion": {"batches": (8, 128), "depth": 30},
}


def test_each_has_a_size_for_this_test():
    assert list(SMALLER) == list(catalogue.NAMES)


@pytest.mark.parametrize("name", list(SMALLER))
def test_the_claims_hold_and_would_not_for_other_numbers(name):
    experiment = catalogue.find(name)
    outcome = run(experiment, {**experiment.quick, **SMALLER[name]})
    assert {claim.says: claim.measured for claim in outcome.claims if not claim.holds} == {}
    assert outcome.figures
    assert all(figure.data for figure in outcome.figures)
    # The same numbers under each other's conditions.
    values = [row.values for row in reversed(outcome.rows)]
    swapped = [replace(row, values=value) for row, value in zip(outcome.rows, values, strict=True)]
    assert not all(claim.holds for claim in experiment.judge(swapped))
