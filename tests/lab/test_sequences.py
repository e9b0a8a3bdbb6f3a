"""The end can be told from the beginning, and from nothing else."""

import torch

from gradclinic.lab.sequences import first_symbol, temporal_order


def test_the_first_symbol_is_the_class_and_occurs_once():
    x, y = first_symbol(50, 12)
    symbols = x.argmax(-1)
    assert x.shape == (50, 12, 8)
    assert torch.equal(symbols[:, 0], y)
    assert bool((symbols[:, 1:] >= 4).all())


def test_two_marks_in_order_make_the_class():
    x, y = temporal_order(200, 20)
    letters = x.argmax(-1)
    for row, label in zip(letters, y, strict=True):
        (places,) = (row < 2).nonzero(as_tuple=True)
        first, second = places.tolist()
        assert 2 <= first < 4
        assert 8 <= second < 10
        assert int(label) == 2 * int(row[first]) + int(row[second])
    assert sorted(set(y.tolist())) == [0, 1, 2, 3]
