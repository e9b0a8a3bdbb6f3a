"""Rows made up for the tests of figures, page and tables."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from corpus.judge import Row
from corpus.peers import PEERS
from corpus.peers.symptom import Call

SILENT = {peer.name: Call(False, "", False) for peer in PEERS}


@pytest.fixture
def row() -> Callable[..., Row]:
    """A row that is right in everything, but for what is named."""

    def make(file: str, **changes: Any) -> Row:
        kind = file.split("/")[0]
        faulty = kind == "faulty"
        fields: dict[str, Any] = {
            "file": file,
            "kind": kind,
            "half": "development",
            "expected": ("learning_rate_high", "input_scale") if faulty else (),
            "verdict": "sick" if faulty else "healthy",
            "condition": "divergence" if faulty else "",
            "cause": "learning_rate_high" if faulty else "",
            "condition_right": True if faulty else None,
            "cause_right": True if faulty else None,
            "origin": "",
            "origin_right": None,
            "seconds": 8.0,
            "plain_seconds": 4.0,
            "note": "",
            "peers": SILENT,
        }
        return Row(**(fields | changes))

    return make
