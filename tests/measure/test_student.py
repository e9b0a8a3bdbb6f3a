import pytest
from scipy import stats

from gradclinic.measure.student import t95


@pytest.mark.parametrize("freedom", [1, 2, 3, 10, 15, 16, 17, 31, 60, 1000])
def test_the_quantile_is_students(freedom: int) -> None:
    assert t95(freedom) == pytest.approx(stats.t.ppf(0.975, freedom), rel=3e-4)


def test_without_a_degree_of_freedom_nothing_is_excluded() -> None:
    assert t95(0) == float("inf")
