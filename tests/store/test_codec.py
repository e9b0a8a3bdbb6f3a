from __future__ import annotations

import tempfile
import typing
from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from gradclinic.schema.ledger import Activity, Entry, Ledger, Line, Objective
from gradclinic.schema.record import (
    Ending,
    Event,
    Exponents,
    LedgerRow,
    OptimizerInfo,
    ParameterInfo,
    Record,
    RunInfo,
    Step,
    Updates,
)
from gradclinic.schema.vitals import VITALS
from gradclinic.store import Writer, codec, read
from gradclinic.store.tables import TABLES

ticks = st.integers(0, 2**62)
free = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**80), 2**80) | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(st.text(max_size=3) | st.just("$"), inner, max_size=3)
    ),
    max_leaves=6,
)


def vitals(rows: int) -> st.SearchStrategy[Any]:
    return st.binary(min_size=rows * VITALS.itemsize, max_size=rows * VITALS.itemsize).map(
        lambda data: np.frombuffer(data, VITALS)
    )


def of(cls: type, **given: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Values of a dataclass, each field by its annotation."""
    hints = typing.get_type_hints(cls)
    known: dict[Any, st.SearchStrategy[Any]] = {
        dict[str, Any]: st.dictionaries(st.text(max_size=3), free, max_size=3),
        tuple[dict[str, Any], ...]: st.lists(st.dictionaries(st.text(max_size=3), free, max_size=3), max_size=2).map(
            tuple
        ),
    }
    chosen: dict[str, st.SearchStrategy[Any]] = {}
    for field in fields(cls):
        hint = hints[field.name]
        if field.name in given:
            chosen[field.name] = given[field.name]
        else:
            chosen[field.name] = known[hint] if hint in known else st.from_type(hint)
    return st.builds(cls, **chosen)


doubles = hnp.arrays(np.float64, 3, elements=st.floats())
ledgers = of(
    Ledger,
    entries=st.lists(of(Entry), max_size=3).map(tuple),
    lines=st.lists(of(Line), max_size=3).map(tuple),
    activities=st.lists(of(Activity), max_size=2).map(tuple),
    objective=st.none() | of(Objective),
)


def by(key: str, strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """A few rows with different keys, in order."""
    rows = st.lists(strategy, max_size=3, unique_by=lambda row: getattr(row, key))
    return rows.map(lambda found: tuple(sorted(found, key=lambda row: getattr(row, key))))


records = st.builds(
    Record,
    info=of(RunInfo),
    ending=st.none() | of(Ending),
    parameters=by("index", of(ParameterInfo, index=ticks)),
    optimizers=by("index", of(OptimizerInfo, index=ticks)),
    steps=by("tick", of(Step, tick=ticks, optimizer=st.integers(0, 3), gradients=st.none() | vitals(4))),
    exponents=by("tick", of(Exponents, tick=ticks, counts=hnp.arrays(np.int64, (2, 256)))),
    updates=by("tick", of(Updates, tick=ticks, weight_norm=doubles, update_norm=doubles, unchanged=doubles)),
    ledgers=by("tick", of(LedgerRow, tick=ticks, ledger=ledgers)),
    events=st.lists(of(Event, tick=ticks), max_size=4).map(tuple),
)


@given(records)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=25)
def test_any_record_reads_back_to_the_bit(same: Callable[[Any, Any], bool], record: Record) -> None:
    told: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run.db"
        writer = Writer(path, record.info, flush_seconds=10, on_failure=told.append)
        for name in ("parameters", "optimizers", "steps", "exponents", "updates", "ledgers", "events"):
            for row in getattr(record, name):
                writer.put(row)
        writer.close(record.ending)
        assert told == []
        assert same(read(path), record)


def test_every_table_is_a_field_of_the_record() -> None:
    assert [table.name for table in TABLES] == [field.name for field in fields(Record)]


@dataclass(frozen=True)
class Old:
    first: int
    gone: str


@dataclass(frozen=True)
class New:
    second: tuple[int, ...] = (7,)
    first: int = 0


@dataclass(frozen=True)
class Strict:
    first: int
    needed: int


@dataclass(frozen=True)
class Unstorable:
    what: set[int]


def test_an_old_row_reads_with_todays_defaults_and_without_fields_that_are_gone() -> None:
    head, body = codec.to_cells(Old(3, "x"))
    decoder = codec.Decoder({"New": codec.fields_of(Old)["Old"]}, {})
    assert decoder.row(New, head, body) == New(second=(7,), first=3)


def test_a_row_without_a_field_that_has_no_default_is_damaged() -> None:
    head, body = codec.to_cells(Old(3, "x"))
    decoder = codec.Decoder({"Strict": ["first", "gone"]}, {})
    with pytest.raises(codec.DAMAGE):
        decoder.row(Strict, head, body)


@pytest.mark.parametrize("head", ["", "[", "{}", "[1]", "[1,2,3]", '[1,{"$":"os"}]', "7", b"\x00zlib", "[" * 100_000])
def test_damaged_heads_raise_what_the_reader_expects(head: str | bytes) -> None:
    fields_of_file = {"Event": ["tick", "data"]}
    with pytest.raises(codec.DAMAGE):
        codec.Decoder(fields_of_file, {}).row(Event, head, None)


def test_a_type_that_cannot_be_stored_is_refused() -> None:
    with pytest.raises(TypeError, match="set"):
        codec.to_cells(Unstorable({1}))


def test_numbers_of_numpy_and_foreign_objects_become_plain_data(same: Callable[[Any, Any], bool]) -> None:
    event = Event(
        np.int64(4),  # type: ignore[arg-type]
        "cost",
        {"a": np.float32(0.5), "b": np.arange(2), "c": np.float64("nan"), "d": Path("x"), 3: {1: (True,)}},  # type: ignore[dict-item]
    )
    head, body = codec.to_cells(event)
    decoder = codec.Decoder(codec.fields_of(Event), {})
    expected = {"a": 0.5, "b": [0, 1], "c": float("nan"), "d": "x", 3: {1: (True,)}}
    assert same(decoder.row(Event, head, body), Event(4, "cost", expected))  # type: ignore[arg-type]


def test_thinned_gradients_read_as_none(make_step: Callable[..., Step]) -> None:
    head, body = codec.to_cells(make_step(1))
    assert body is not None
    decoder = codec.Decoder(codec.fields_of(Step), {"vitals": [[n, "<i8"] for n in VITALS.names or ()]})
    assert decoder.row(Step, head, None).gradients is None
    assert decoder.row(Step, head, body).gradients is not None


def test_all_classes_of_the_schema_are_named_in_the_file() -> None:
    found = codec.fields_of(*(table.row for table in TABLES))
    assert {"Step", "LedgerRow", "Ledger", "Entry", "Line", "Activity", "Objective", "Event"} <= set(found)
    assert all(is_dataclass(table.row) for table in TABLES)
