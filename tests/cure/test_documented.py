"""The page of the verb has every remedy."""

from __future__ import annotations

from pathlib import Path

from gradclinic.cure.indications import BY_CAUSE
from gradclinic.cure.remedies import all_remedies

PAGE = Path(__file__).parents[2] / "docs/commands/treat.md"


def test_every_remedy_has_its_row_with_its_size() -> None:
    rows = PAGE.read_text().splitlines()
    for remedy in all_remedies():
        (row,) = (line for line in rows if line.startswith(f"| `{remedy.id}` |"))
        assert row.endswith(f"| {remedy.size} |")


def test_every_indication_is_a_remedy() -> None:
    known = {remedy.id for remedy in all_remedies()}
    named = {remedy for remedies in BY_CAUSE.values() for remedy in remedies}
    assert named <= known, named - known
