"""Fits the forecast's regression on the fitted families; the others are not looked at.

python -m corpus.trainability.fit
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from gradclinic.diagnose.forecast import probability

from .rows import Row, load
from .setups import FITTED

FITTED_PATH = Path(probability.__file__).with_name("fitted.json")


def main() -> int:
    """Writes ``fitted.json`` into the package."""
    rows = [row for row in load() if row.family in FITTED]
    FITTED_PATH.write_text(json.dumps(fitted(rows)) + "\n", "utf-8")
    return 0


def fitted(rows: Sequence[Row]) -> dict[str, object]:
    """Weights, intercept and typical signs of a logistic regression (penalty 1 on standardised signs)."""
    pairs = [(vector(row), row.outcome.trained) for row in rows]
    known = [(own, trained) for own, trained in pairs if own is not None]
    signs = np.array([own for own, _ in known])
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(signs, [trained for _, trained in known])
    scaler, regression = model[0], model[-1]
    weights = regression.coef_[0] / scaler.scale_
    return {
        "weights": _rounded(weights),
        "intercept": round(float(regression.intercept_[0] - weights @ scaler.mean_), 4),
        "typical": _rounded(scaler.mean_),
        "made_by": "python -m corpus.trainability.fit",
        "setups": len(known),
    }


def vector(row: Row) -> tuple[float, ...] | None:
    """A row's signs; None where there are none, or one is missing."""
    signs = row.forecast().signs
    if not signs or signs[0].carried is None:
        return None
    return signs[0].vector((0.0,) * 4)


def _rounded(values: np.ndarray[tuple[int], np.dtype[np.float64]]) -> list[float]:
    return [round(float(value), 4) for value in values]


if __name__ == "__main__":
    sys.exit(main())
