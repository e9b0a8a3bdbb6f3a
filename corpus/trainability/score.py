"""How well a check-up foretells which set-ups train: corpus/trainability/results.json and docs/accuracy.md.

python -m corpus.trainability.score                    from corpus/trainability/measured.json
python -m corpus.trainability.score --from FOLDER      from the records that corpus.trainability.measure left
python -m corpus.trainability.score --fit              fits the regression anew before
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import balanced_accuracy_score, roc_auc_score

from corpus.results import commit, machine
from gradclinic.diagnose.forecast import probability

from . import fit, page, rows
from .alone import alone, ends
from .rows import HERE, Row
from .setups import BLIND, FAMILIES, FITTED, HELD_BACK, all_setups

RESULTS = HERE / "results.json"
#: Equal bins of probability for the reliability curve and the calibration error.
BINS = 10
#: Draws of the bootstrap, and its seed.
DRAWS, SEED = 2000, 0
#: AutoTrainer's: a thousandth between the first and the last gradient is vanishing; SageMaker's: mean |g| below 1e-7.
RATIO_DECADES, VANISHED = 3.0, 1e-7
Array = NDArray[np.float64]


def main(arguments: Sequence[str] | None = None) -> int:
    """Writes the results and the page."""
    parser = argparse.ArgumentParser(prog="python -m corpus.trainability.score", description=__doc__)
    parser.add_argument("--from", dest="folder", type=Path)
    parser.add_argument("--fit", action="store_true")
    options = parser.parse_args(arguments)
    if options.folder:
        rows.save(rows.collect(all_setups(), options.folder))
    if options.fit:
        fit.main()
        probability.fitted.cache_clear()
    data = results(rows.load())
    RESULTS.write_text(json.dumps(data, indent=1) + "\n", "utf-8")
    page.write(data)
    return 0


def results(measured: Sequence[Row]) -> dict[str, Any]:
    """All figures: of the families held back, the blind ones, those fitted on, and of each family."""
    parts = {"held_back": HELD_BACK, "blind": BLIND, "fitted": FITTED} | {family: (family,) for family in FAMILIES}
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "machine": machine(),
        "command": "make foresee",
        "commit": commit(),
        "alone": alone([row for row in measured if row.family in (*HELD_BACK, *BLIND)]),
        "ends": ends(measured),
        "figures": {name: figures([row for row in measured if row.family in part]) for name, part in parts.items()},
    }


def figures(measured: Sequence[Row]) -> dict[str, Any]:
    """Of some set-ups: how well the forecast and what others look at tell which of them train."""
    truth = np.array([row.outcome.trained for row in measured])
    foretold = [row.forecast().probability for row in measured]
    # Where nothing can be foretold, the odds are even: neither right nor wrong, and counted.
    odds = np.array([0.5 if value is None else value for value in foretold])
    return {
        "setups": len(measured),
        "trained": int(truth.sum()),
        "not_foretold": sum(value is None for value in foretold),
        "auc": _rounded(roc_auc_score(truth, odds)),
        "auc_interval": _interval(truth, odds, lambda t, p: float(roc_auc_score(t, p))),
        "balanced_accuracy": _rounded(balanced_accuracy_score(truth, odds >= 0.5)),
        "balanced_accuracy_interval": _interval(truth, odds, lambda t, p: float(balanced_accuracy_score(t, p >= 0.5))),
        "calibration_error": _rounded(calibration_error(truth, odds)),
        "reliability": reliability(truth, odds),
        "others": _others(measured, truth),
    }


def calibration_error(truth: NDArray[np.bool_], odds: Array) -> float:
    """Mean distance of the share that trained from the mean probability, over bins, by their size."""
    return float(sum(abs(b["trained"] - b["foretold"]) * b["setups"] for b in reliability(truth, odds)) / len(truth))


def reliability(truth: NDArray[np.bool_], odds: Array) -> list[dict[str, Any]]:
    """For each bin that holds any: how many, their mean probability, and the share that trained."""
    place = np.minimum((odds * BINS).astype(int), BINS - 1)
    return [
        {
            "setups": int(inside.sum()),
            "foretold": _rounded(odds[inside].mean()),
            "trained": _rounded(truth[inside].mean()),
        }
        for inside in (place == each for each in range(BINS))
        if inside.any()
    ]


def _others(measured: Sequence[Row], truth: NDArray[np.bool_]) -> dict[str, dict[str, float]]:
    """What others look at, at step 0 or (AutoTrainer) in the check-up's steps."""
    decades = np.array([abs(row.ratio) for row in measured])
    sizes = np.array([row.magnitude for row in measured])
    quiet = np.array([row.problem is None for row in measured])
    return {
        "first/last gradient ratio": _both(truth, -decades, decades < RATIO_DECADES),
        "mean gradient < 1e-7": _both(truth, sizes, sizes >= VANISHED),
        "AutoTrainer's rules": _both(truth, quiet.astype(float), quiet),
    }


def _both(truth: NDArray[np.bool_], score: Array, says: NDArray[np.bool_]) -> dict[str, float]:
    return {
        "auc": _rounded(roc_auc_score(truth, score)),
        "balanced_accuracy": _rounded(balanced_accuracy_score(truth, says)),
    }


def _interval(truth: NDArray[np.bool_], odds: Array, figure: Callable[[Any, Any], float]) -> list[float]:
    """95% of a bootstrap over set-ups (Efron 1979)."""
    generator = np.random.default_rng(SEED)
    found = []
    for _ in range(DRAWS):
        drawn = generator.integers(0, len(truth), len(truth))
        if 0 < truth[drawn].sum() < len(truth):
            found.append(figure(truth[drawn], odds[drawn]))
    return [_rounded(value) for value in np.quantile(found, (0.025, 0.975))]


def _rounded(value: Any) -> float:
    return round(float(value), 4)


if __name__ == "__main__":
    sys.exit(main())
