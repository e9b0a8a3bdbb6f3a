"""Two tasks of a few steps, and a reference made up."""

from __future__ import annotations

from typing import Any

from corpus.treat.families import dense
from corpus.treat.loop import ADAM, Loop
from corpus.treat.row import Row

SHAPE = {"source": "blobs", "depth": 2, "width": 16}
TINY = (
    Row("slow", "blobs", "here", 120, dense.build, SHAPE | {"loop": Loop("sgd", 1e-7)}, ({"loop": ADAM},)),
    Row("sound", "healthy", "here", 120, dense.build, SHAPE | {"loop": Loop("adam", 1e-2)}, sick=False),
)

REFERENCE: dict[str, Any] = {
    "untreated": [10.0, 20.0],
    "recipes": {
        "rate": {"metrics": [90.0, 88.0], "size": 1, "changes": []},
        "norm": {"metrics": [91.0, 93.0], "size": 5, "changes": []},
        "poor": {"metrics": [60.0, 60.0], "size": 0, "changes": []},
        "by hand 1": {"metrics": [80.0, 90.0], "size": None, "changes": []},
    },
}
