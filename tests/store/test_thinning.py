from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gradclinic.store.thinning import FIRST, NEWEST, Sizes, choose, shares


def rows(ticks: list[int], marked: set[int] = frozenset(), size: int = 100, lanes: int = 1) -> Sizes:  # type: ignore[assignment]
    tick = np.array(ticks, np.int64)
    lane = tick % lanes
    return Sizes(tick, tick, lane, np.array([t in marked for t in ticks], bool), np.full(len(ticks), size, np.int64))


@given(
    st.lists(st.tuples(st.integers(0, 5000), st.integers(1, 4000), st.booleans(), st.integers(0, 2)), max_size=300),
    st.floats(0, 1e6),
)
def test_what_is_kept_fits_and_the_newest_is_kept(raw: list[tuple[int, int, bool, int]], budget: float) -> None:
    raw.sort()
    table = np.array(raw, np.int64).reshape(-1, 4)
    found = Sizes(np.arange(len(raw)), table[:, 0], table[:, 3], table[:, 2].astype(bool), table[:, 1])
    keep = choose(found, budget)
    newest = {int(lane): int(np.flatnonzero(found.lane == lane)[-1]) for lane in set(found.lane.tolist())}
    assert all(keep[at] for at in newest.values())
    # The ends are counted by the mean size, so large rows there may go beyond the budget; alike ones may not.
    if len(set(table[:, 1].tolist())) == 1:
        assert found.size[keep].sum() <= max(budget, found.size[list(newest.values())].sum())


def test_the_ends_stay_and_the_middle_is_covered_evenly() -> None:
    kept = np.flatnonzero(choose(rows(list(range(100_000))), 200_000))
    assert set(range(FIRST)) <= set(kept)
    assert set(range(100_000 - NEWEST, 100_000)) <= set(kept)
    assert 1000 <= len(kept) <= 2000
    middle = np.diff(kept[(kept > 500) & (kept < 99_000)])
    assert middle.max() <= 2 * middle.min()


def test_anomalies_stay() -> None:
    odd = {1234, 50_001, 50_002, 77_777}
    kept = set(np.flatnonzero(choose(rows(list(range(100_000)), odd), 200_000)))
    assert odd <= kept


def test_where_all_is_anomalous_the_first_stays_and_the_rest_is_thinned() -> None:
    kept = np.flatnonzero(choose(rows(list(range(50_000)), set(range(1000, 50_000))), 100_000))
    assert 400 < len(kept) <= 1000
    assert 1000 in kept
    assert len(kept[(kept > 1000) & (kept < 49_000)]) > 200


def test_what_one_thinning_kept_the_next_keeps_unless_it_must_go() -> None:
    ticks = list(range(20_000))
    once = [tick for tick, keep in zip(ticks, choose(rows(ticks), 150_000), strict=True) if keep]
    again = choose(rows(once + list(range(20_000, 20_300))), 150_000)
    middle = [tick for tick, keep in zip(once, again, strict=False) if keep and tick < 19_000]
    assert len(middle) > 0.9 * len([tick for tick in once if tick < 19_000])


def test_a_schedule_that_grows_sparse_is_covered_evenly_in_time() -> None:
    ticks = [*range(10_000), *range(10_000, 100_000, 10)]
    keep = choose(rows(ticks), 100_000)
    kept = np.array([tick for tick, kept in zip(ticks, keep, strict=True) if kept])
    dense, sparse = ((kept > low) & (kept < low + 8000) for low in (1000, 50_000))
    assert 0.8 < dense.sum() / sparse.sum() < 1.25


def test_alternating_optimizers_are_both_kept() -> None:
    kept = np.flatnonzero(choose(rows(list(range(100_000)), lanes=2), 200_000))
    middle = kept[(kept > 1000) & (kept < 99_000)]
    assert 0.4 < np.mean(middle % 2) < 0.6


def test_shares_fill_what_modest_ones_leave() -> None:
    granted = shares({"small": 10, "big": 1000, "bigger": 5000}, {"small": 1, "big": 1, "bigger": 2}, 610)
    assert granted == {"small": 10, "big": 200, "bigger": 400}
    assert shares({"a": 5, "b": 6}, {"a": 1, "b": 9}, 100) == {"a": 5, "b": 6}
