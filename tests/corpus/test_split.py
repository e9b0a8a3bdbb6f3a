"""The draw: half of all, never twice, twins together."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from corpus.index import Kind, Script
from corpus.split import assign


def scripts(kind: Kind, count: int, **fields: object) -> list[Script]:
    return [Script(f"{kind}/{'old' if fields else 'new'}_{i:02}.py", kind, **fields) for i in range(count)]  # type: ignore[arg-type]


def halves(drawn: tuple[Script, ...], kind: Kind) -> Counter[str | None]:
    return Counter(script.half for script in drawn if script.kind == kind)


def test_half_of_all_is_scored_although_the_old_ones_are_all_for_development() -> None:
    drawn = assign([*scripts("faulty", 40, half="development"), *scripts("faulty", 60), *scripts("healthy", 7)])
    assert halves(drawn, "faulty") == {"development": 50, "scored": 50}
    assert halves(drawn, "healthy") == {"development": 4, "scored": 3}


def test_where_too_few_are_new_all_of_them_are_scored() -> None:
    drawn = assign([*scripts("healthy", 33, half="development"), *scripts("healthy", 20)])
    assert halves(drawn, "healthy") == {"development": 33, "scored": 20}


def test_a_script_that_has_a_half_keeps_it_and_new_ones_are_drawn() -> None:
    first = assign(scripts("faulty", 20))
    more = [Script(f"faulty/later_{i}.py", "faulty") for i in range(10)]
    second = assign([*more, *first])
    assert {s.file: s.half for s in first}.items() <= {s.file: s.half for s in second}.items()
    assert halves(second, "faulty") == {"development": 15, "scored": 15}
    assert assign(second) == second


def test_a_twin_goes_with_its_faulty_script() -> None:
    faulty = scripts("faulty", 9)
    drawn = assign([*faulty, *(Script(script.twin, "fixed") for script in faulty)])
    half = {script.file: script.half for script in drawn}
    assert all(half[f"fixed/new_{i:02}.py"] == half[f"faulty/new_{i:02}.py"] for i in range(9))


def test_the_draw_depends_on_the_seed_and_not_on_the_order() -> None:
    rows = scripts("healthy", 30)
    drawn = {script.file: script.half for script in assign(rows)}
    assert drawn == {script.file: script.half for script in assign(rows[::-1])}
    assert drawn != {script.file: script.half for script in assign(rows, seed=1)}
    scored = [name for name, half in sorted(drawn.items()) if half == "scored"]
    assert scored not in ([s.file for s in rows[:15]], [s.file for s in rows[15:]])


def test_nothing_but_the_half_changes() -> None:
    rows = [Script("healthy/a.py", "healthy", note="a note", source="own")]
    assert [replace(script, half=None) for script in assign(rows)] == rows
