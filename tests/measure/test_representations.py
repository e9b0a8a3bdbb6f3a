"""How alike the outputs are: against twins that do it the long way, and against known networks."""

from __future__ import annotations

import json
from math import exp, log, sqrt

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.utils.checkpoint import checkpoint

from gradclinic.measure.meanfield import ACTIVATIONS, correlation_map
from gradclinic.measure.representations import representations
from gradclinic.measure.representations.alike import alike, chosen, effective_rank


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


def of(model, *inputs):
    return representations(model, lambda: model(*inputs)).outputs


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 12), st.integers(1, 30), st.integers(0, 2**31))
def test_against_the_long_way(n, features, seed):
    generator = torch.Generator().manual_seed(seed)
    rows = torch.randn(n, features, generator=generator, dtype=torch.float64) + 0.5
    found = alike(rows)
    x = rows.numpy()
    pairs = [x[i] @ x[j] / np.linalg.norm(x[i]) / np.linalg.norm(x[j]) for i in range(n) for j in range(i)]
    singular = np.linalg.svd(x - x.mean(0), compute_uv=False) ** 2
    shares = singular[singular > 0] / singular.sum()
    assert found.cosine == pytest.approx(np.mean(pairs), abs=1e-12)
    assert found.spread == pytest.approx(((x - x.mean(0)) ** 2).sum() / (x**2).sum())
    assert found.effective_rank == pytest.approx(exp(-sum(shares * np.log(shares))), rel=1e-6)
    assert 1 - 1e-9 <= found.effective_rank <= min(n - 1, features) + 1e-9


def test_effective_rank_of_known_spectra():
    assert effective_rank(torch.eye(5)) == pytest.approx(5)
    assert effective_rank(torch.diag(torch.tensor([1.0, 0, 0]))) == pytest.approx(1)
    two = torch.diag(torch.tensor([0.75, 0.25]))
    assert effective_rank(two) == pytest.approx(exp(-0.75 * log(0.75) - 0.25 * log(0.25)))


def test_many_features_are_summed_up_with_a_small_error():
    rows = torch.randn(16, 50_001) + 0.7
    rows[1] = rows[0] + 1e-5 * torch.randn(50_001)
    few, all_of_them = alike(rows), alike_exact(rows)
    assert few.cosine == pytest.approx(all_of_them[0], abs=0.02)
    assert few.spread == pytest.approx(all_of_them[1], abs=0.02)
    # Rows that are nearly equal stay so: the difference is summed up too.
    near = alike(rows[:2])
    assert near.spread == pytest.approx(alike_exact(rows[:2])[1], rel=0.1)


def alike_exact(rows):
    x = rows.double()
    unit = x / x.norm(dim=1, keepdim=True)
    n = len(x)
    cosine = float((unit @ unit.T).sum() - n) / (n * (n - 1))
    return cosine, float((x - x.mean(0)).square().sum() / x.square().sum())


def test_equal_rows_zeros_single_rows_and_what_is_not_finite():
    equal = alike(torch.randn(40).expand(8, 40))
    assert (equal.cosine, equal.spread, equal.effective_rank) == (pytest.approx(1), pytest.approx(0), 0.0)
    # As rounding leaves them.
    rounded = alike(torch.randn(40) * (1 + 1e-7 * torch.randn(8, 1)))
    assert rounded.effective_rank == 0.0
    assert alike(torch.zeros(4, 3)) == type(equal)(4, None, None, 0.0)
    assert alike(torch.ones(1, 3)).cosine is None
    broken = torch.ones(3, 3)
    broken[0, 0] = float("inf")
    assert alike(broken).cosine is None
    assert alike(torch.eye(3).half()).effective_rank == pytest.approx(2)
    dead = torch.eye(3)
    dead[0] = 0
    assert alike(dead).cosine is None
    assert alike(dead).effective_rank is not None


@given(st.integers(1, 500), st.integers(1, 64))
def test_chosen_places_are_different_and_spread_out(size, most):
    places = chosen(size, most)
    assert places == sorted(set(places))
    assert len(places) == min(size, most)
    assert all(0 <= place < size for place in places)


def test_cosines_follow_the_correlation_map():
    """Layer by layer as Schoenholz et al. 2017 have it, for ReLU (Cho and Saul's kernel)."""
    width = 2000
    layers: list[nn.Module] = []
    for _ in range(4):
        layer = nn.Linear(width, width, bias=False)
        nn.init.normal_(layer.weight, 0, sqrt(2 / width))
        layers += [layer, nn.ReLU()]
    outputs = of(nn.Sequential(*layers), torch.randn(16, width))
    c = outputs[0].samples.cosine
    for output in outputs[2::2]:  # the preactivations
        c = correlation_map(ACTIVATIONS["relu"], sqrt(2), 0.0, 1.0, c)
        assert output.samples.cosine == pytest.approx(c, abs=0.03)


def test_a_deep_network_with_default_weights_tells_nothing_apart():
    outputs = of(nn.Sequential(*(m for _ in range(30) for m in (nn.Linear(64, 64), nn.ReLU()))), torch.randn(32, 64))
    assert outputs[0].samples.cosine == pytest.approx(0, abs=0.1)
    assert outputs[0].samples.effective_rank > 15
    assert outputs[-1].samples.cosine == pytest.approx(1, abs=1e-6)
    assert outputs[-1].samples.spread < 1e-10


@pytest.mark.parametrize("norm_first", [False, True])
def test_rank_collapse_of_a_transformer(norm_first):
    """24 layers, d = 128, Xavier: post-LN's tokens become one, pre-LN's do not (Noci et al. 2022)."""
    model = nn.Sequential(
        *(nn.TransformerEncoderLayer(128, 4, 512, 0.0, batch_first=True, norm_first=norm_first) for _ in range(24))
    )
    for parameter in model.parameters():
        if parameter.dim() > 1:
            nn.init.xavier_uniform_(parameter)
    last = of(model, torch.randn(4, 16, 128))[-1]
    assert last.shape == (4, 16, 128)
    if norm_first:
        assert 0.65 < last.tokens.cosine < 0.85
    else:
        assert last.tokens.cosine == pytest.approx(1, abs=1e-3)
        assert last.tokens.spread < 1e-3


def test_order_paths_calls_and_modules_that_pass_on():
    cell = nn.Linear(8, 8)
    model = nn.Sequential(cell, nn.Sequential(nn.Tanh(), cell), nn.Identity(), nn.ReLU(inplace=True))
    seen = [(one.where, one.call, one.leaf) for one in of(model, torch.randn(4, 8))]
    # What hands on another's output is left out; what has changed it in place is not.
    assert seen == [("0", 0, True), ("1.0", 0, True), ("0", 1, True), ("3", 0, True)]


class Branches(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer, self.drop, self.norm = nn.Linear(8, 8), nn.Dropout(0.5), nn.BatchNorm1d(8)

    def forward(self, x):
        h = self.norm(self.drop(self.layer(x)))
        return {"out": (x + h, "text"), "size": len(x)}


def test_dictionaries_tuples_dropout_and_batch_norm():
    outputs = of(Branches(), torch.randn(16, 8))
    assert [(one.where, one.leaf) for one in outputs] == [
        ("layer", True),
        ("drop", True),
        ("norm", True),
        ("", False),
    ]


def test_a_transformer_in_evaluation_is_seen_with_its_parts():
    layer = nn.TransformerEncoderLayer(16, 2, 32, batch_first=True)
    model = nn.TransformerEncoder(layer, 2).eval().requires_grad_(False)
    padding = torch.zeros(4, 6, dtype=torch.bool)
    padding[0, 4:] = True
    outputs = representations(model, lambda: model(torch.randn(4, 6, 16), src_key_padding_mask=padding)).outputs
    assert "layers.1.linear1" in [one.where for one in outputs]
    assert all(one.tokens is not None for one in outputs)


def test_time_first_recurrences():
    model = nn.Sequential(nn.Embedding(20, 6), nn.LSTM(6, 8))
    found = representations(model, lambda: model(torch.randint(20, (7, 5))))
    assert [(one.where, one.samples.count, one.tokens.count) for one in found.outputs] == [("1", 5, 7)]
    assert found.skipped == ("0",)
    # As many steps as samples: all samples equal, all steps different.
    square = of(nn.LSTM(6, 8), torch.randn(5, 1, 6).expand(5, 5, 6))[0]
    assert square.samples.spread == pytest.approx(0, abs=1e-12)
    assert square.tokens.spread > 0.01
    model = nn.LSTM(6, 8, batch_first=True)
    assert of(model, torch.randn(5, 7, 6))[0].tokens.count == 7


def test_places_of_a_convolution_in_one_dimension():
    outputs = of(nn.Sequential(nn.Conv1d(3, 5, 3, padding=1), nn.ReLU(), nn.Flatten()), torch.randn(4, 3, 9))
    assert [one.tokens and one.tokens.count for one in outputs] == [9, 9, None]


def test_what_has_no_row_for_each_sample_is_skipped():
    class Pooled(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = nn.Linear(3, 3), nn.Linear(3, 2)

        def forward(self, x):
            return self.b(self.a(x).mean(0))

    found = representations(model := Pooled(), lambda: model(torch.randn(7, 3)))
    assert [one.where for one in found.outputs] == ["a"]
    assert found.skipped == ("b",)
    json.dumps(found.to_dict(), allow_nan=False)


def test_few_samples_of_a_large_batch_and_few_calls_of_many():
    assert of(nn.Linear(3, 3), torch.randn(1000, 3))[0].samples.count == 64

    class Loop(nn.Module):
        def __init__(self):
            super().__init__()
            self.cell = nn.Linear(3, 3)

        def forward(self, x):
            for _ in range(100):
                x = self.cell(x)
            return x

    assert len(of(Loop(), torch.randn(4, 3))) == 64


def test_checkpointed_and_compiled_parts_and_other_precisions():
    body = nn.Sequential(nn.Linear(4, 4), nn.Tanh())

    class Checkpointed(nn.Module):
        def __init__(self):
            super().__init__()
            self.body = body

        def forward(self, x):
            return checkpoint(self.body, x, use_reentrant=False)

    assert [one.where for one in of(Checkpointed(), torch.randn(4, 4))] == ["body.0", "body.1"]
    assert len(of(torch.compile(body, backend="eager"), torch.randn(4, 4))) == 2
    for dtype in (torch.float16, torch.bfloat16, torch.float64):
        assert of(nn.Linear(4, 4).to(dtype), torch.randn(4, 4, dtype=dtype))[0].samples.cosine is not None


def test_a_model_without_tensors_says_nothing():
    class Nothing(nn.Module):
        def forward(self, x):
            return None

    assert of(Nothing(), torch.randn(2, 2)) == ()
