"""A few quick scripts of the development half from the script to the row, and the same again from the kept record."""

from __future__ import annotations

from pathlib import Path

import pytest

from corpus.evaluate import evaluate
from corpus.index import load
from corpus.runner import record_of, run_script

SCRIPTS = {script.file: script for script in load() if script.half == "development"}


@pytest.mark.parametrize("file", ["faulty/house_prices.py", "faulty/padded_tagger.py", "healthy/no_optimizer.py"])
def test_a_script_is_run_judged_and_judged_again(file: str, tmp_path: Path) -> None:
    script = SCRIPTS[file]
    run = run_script(script, tmp_path, plain=script.kind == "healthy")
    assert run.note == ""
    row = evaluate(script, tmp_path, again=False)
    assert row.right
    assert row.seconds == run.seconds
    assert {name: call.sick for name, call in row.peers.items()} == dict.fromkeys(row.peers, script.kind == "faulty")
    again = evaluate(script, tmp_path, again=True)
    assert (again.verdict, again.condition, again.cause, again.peers) == (
        row.verdict,
        row.condition,
        row.cause,
        row.peers,
    )
    assert again.seconds is None
    record_of(tmp_path, file).unlink()
    assert not any(call.sick for call in evaluate(script, tmp_path, again=True).peers.values())
