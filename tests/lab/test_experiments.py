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
    "shortcuts": {"depths": (24,), "steps": 100, "mlp_depths": (50,), "mlp_steps": 200},
    "edge-of-stability": {"runs": {"gd": (0.1, 2000), "adam": (1e-3, 1200)}},
    "clipping": {"steps": 600},
    "lstm-gates": {"steps": 220},
    "pre-post-norm": {"depths": (24,), "width": 32, "length": 8, "steps": 60},
    "skip-gram": {"vocabulary": 500, "width": 20, "steps": 1500},
    "transfer": {"pretraining": 250, "steps": 100},
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
    assert not all(claim.holds for claim in experiment.judge(spoiled(name, outcome.rows)))


def spoiled(name, rows):
    """The same numbers under each other's conditions; where all conditions are to agree, one that does not."""
    if name == "skip-gram":
        return [replace(rows[0], values={**rows[0].values, "early": 2 * rows[0]["early"]}), *rows[1:]]
    values = [row.values for row in reversed(rows)]
    return [replace(row, values=value) for row, value in zip(rows, values, strict=True)]
