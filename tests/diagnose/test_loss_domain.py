"""Each loss, given what it is not defined for and given what it is: only the first is a finding."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from gradclinic.diagnose import diagnose
from gradclinic.measure.replay.losses import facts_of, loss_call
from gradclinic.schema.record import Event

from . import handmade as hand

LOGITS = torch.randn(12, 4, generator=torch.Generator().manual_seed(0))
ONE = LOGITS[:, :1]
CLASSES = torch.arange(12) % 4
BITS = torch.arange(12).remainder(2).double().unsqueeze(1).float()
ONE_HOT = F.one_hot(CLASSES, 4).float()
MARKS = torch.tensor([[1.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0], [1.0, 1.0, 1.0, 0.0]]).repeat(4, 1)
LOG_P = LOGITS.log_softmax(1)
TIMES = LOGITS.reshape(3, 4, 4)


def told(function: Callable[..., Tensor], *args: Tensor, **options: object) -> tuple[str, str] | None:
    called = loss_call(function, args, options)
    assert called is not None
    record = hand.record(hand.flat(), events=[Event(0, "loss_call", called | {"module": ""})])
    found = [f for f in diagnose(record).findings if f.condition == "wrong_objective"]
    return (found[0].cause, found[0].explanation) if found else None


@pytest.mark.parametrize(
    ("cause", "says", "function", "args", "options"),
    [
        ("output_activation", "raw logits", F.nll_loss, (LOGITS, CLASSES), {}),
        ("output_activation", "given probabilities", F.nll_loss, (LOGITS.softmax(1), CLASSES), {}),
        ("output_activation", "along dimension 0", F.nll_loss, (LOGITS.log_softmax(0), CLASSES), {}),
        ("output_activation", "given probabilities", F.kl_div, (LOGITS.softmax(1), ONE_HOT), {}),
        ("loss_mismatch", "takes probabilities", F.kl_div, (LOG_P, LOG_P), {}),
        ("loss_mismatch", "no logarithm", F.kl_div, (LOG_P, ONE_HOT), {"log_target": True}),
        ("loss_mismatch", "a single one", F.cross_entropy, (ONE, BITS), {}),
        ("loss_mismatch", "up to 3", F.cross_entropy, (LOGITS, MARKS), {}),
        ("loss_mismatch", "class probabilities", F.cross_entropy, (LOGITS, LOGITS * 50), {}),
        ("loss_mismatch", "from -1 to 1", F.binary_cross_entropy_with_logits, (ONE, 2 * BITS - 1), {}),
        ("loss_mismatch", "from 0 to 3", F.binary_cross_entropy_with_logits, (ONE, CLASSES.view(-1, 1).float()), {}),
        ("loss_mismatch", "no minimum", F.binary_cross_entropy, (ONE.sigmoid(), ONE * 255), {}),
        ("output_activation", "along dimension 0", F.binary_cross_entropy, (LOGITS.softmax(0), ONE_HOT), {}),
        ("loss_mismatch", "labels of -1 and 1", F.soft_margin_loss, (ONE, BITS), {}),
        ("loss_mismatch", "labels of -1 and 1", F.hinge_embedding_loss, (ONE, BITS), {}),
        ("loss_mismatch", "labels of -1 and 1", F.margin_ranking_loss, (ONE, -ONE, BITS), {}),
        ("loss_mismatch", "labels of -1 and 1", F.cosine_embedding_loss, (LOGITS, -LOGITS, BITS[:, 0]), {}),
        ("loss_mismatch", "ended by -1", F.multilabel_margin_loss, (LOGITS, MARKS.long()), {}),
        ("loss_mismatch", "from 0 to 3", F.multilabel_soft_margin_loss, (LOGITS, ONE_HOT * 3), {}),
        ("loss_mismatch", "takes counts", F.poisson_nll_loss, (ONE, LOGITS[:, 1:2]), {}),
        ("output_activation", "log_input=False", F.poisson_nll_loss, (ONE, BITS), {"log_input": False}),
        ("output_activation", "applies softmax itself", F.cross_entropy, (LOGITS.softmax(1), CLASSES), {}),
        ("loss_mismatch", "the model's output as the target", F.kl_div, (LOG_P, ONE_HOT.clone().requires_grad_()), {}),
        ("output_activation", "raw logits", F.ctc_loss, (TIMES, CLASSES[:4].view(4, 1), (3,) * 4, (1,) * 4), {}),
    ],
)  # fmt: skip
def test_outside_of_the_domain(cause, says, function, args, options):
    found = told(function, *args, **options)
    assert found is not None
    assert found[0] == cause
    assert says in found[1]


@pytest.mark.parametrize(
    ("function", "args", "options"),
    [
        (F.nll_loss, (LOG_P, CLASSES), {}),
        (F.nll_loss, (0.5 * LOG_P, CLASSES), {}),  # a focal loss weighs log-probabilities
        (F.nll_loss, (LOG_P.half(), CLASSES), {}),
        (F.kl_div, (LOG_P, ONE_HOT), {"reduction": "batchmean"}),
        (F.kl_div, (LOG_P, LOG_P), {"log_target": True, "reduction": "batchmean"}),
        (F.cross_entropy, (LOGITS, CLASSES), {}),
        (F.cross_entropy, (LOGITS, 0.3 * ONE_HOT + 0.7 * ONE_HOT.roll(1, 0)), {}),  # mixup
        (F.cross_entropy, (LOGITS, ONE_HOT * BITS), {}),  # a row of zeros leaves a sample out
        (F.cross_entropy, (TIMES, CLASSES.view(3, 4)), {}),
        (F.binary_cross_entropy_with_logits, (ONE, BITS), {}),
        (F.binary_cross_entropy_with_logits, (ONE, 0.9 * BITS + 0.05), {}),
        (F.binary_cross_entropy_with_logits, (ONE, 2 * BITS - 1), {"reduction": "none"}),  # -1: left out later
        (F.binary_cross_entropy, (LOGITS.softmax(1), ONE_HOT), {}),
        (F.soft_margin_loss, (ONE, 2 * BITS - 1), {}),
        (F.cosine_embedding_loss, (LOGITS, -LOGITS, 2 * BITS[:, 0] - 1), {}),
        (F.cosine_embedding_loss, (LOGITS, -LOGITS, torch.ones(12)), {}),
        (F.multilabel_margin_loss, (LOGITS, torch.tensor([[3, 0, -1, 1]] * 12)), {}),
        (F.multilabel_soft_margin_loss, (LOGITS, MARKS), {}),
        (F.poisson_nll_loss, (ONE, BITS), {}),
        (F.poisson_nll_loss, (ONE.exp(), BITS), {"log_input": False}),
        (F.ctc_loss, (TIMES.log_softmax(2), CLASSES[:4].view(4, 1), (3,) * 4, (1,) * 4), {}),
    ],
)  # fmt: skip
def test_inside_of_the_domain(function, args, options):
    function(*args, **options)  # it is a call that torch takes
    assert told(function, *args, **options) is None


def told_by(by: str, function: Callable[..., Tensor], *args: Tensor, **options: object) -> str | None:
    called = loss_call(function, args, options, lambda _: by)
    assert called is not None
    record = hand.record(hand.flat(), events=[Event(0, "loss_call", called | {"module": ""})])
    return next((f.cause for f in diagnose(record).findings if f.condition == "wrong_objective"), None)


def test_a_rate_is_no_logarithm_of_a_rate():
    assert told_by("softplus", F.poisson_nll_loss, ONE.abs(), BITS) == "loss_mismatch"
    assert told_by("linear", F.poisson_nll_loss, ONE.abs(), BITS) is None
    assert told_by("softplus", F.poisson_nll_loss, ONE.abs(), BITS, log_input=False) is None


@pytest.mark.parametrize(("labels", "cause"), [(BITS, "loss_mismatch"), (2 * BITS - 1, None)])
def test_a_margin_written_out_takes_labels_of_both_signs(labels, cause):
    prediction = {"shape": [12, 1], "integer": False, "tracked": True}
    call = {"function": "margin", "options": {}, "prediction": prediction, "target": facts_of(labels), "module": ""}
    findings = diagnose(hand.record(hand.flat(), events=[Event(0, "loss_call", call)])).findings
    assert next((f.cause for f in findings if f.condition == "wrong_objective"), None) == cause


def test_logarithms_of_probabilities_against_marks():
    assert told_by("log_softmax", F.mse_loss, LOG_P, ONE_HOT) == "loss_mismatch"
    assert told_by("softmax", F.mse_loss, LOG_P.exp(), ONE_HOT) is None
    assert told_by("log_softmax", F.mse_loss, LOG_P, LOG_P.roll(1, 0)) is None  # distilled from another's


def test_no_loss_is_no_loss():
    assert loss_call(F.linear, (LOGITS, LOGITS), {}) is None


def test_of_many_elements_the_first_are_looked_at(monkeypatch):
    monkeypatch.setattr("gradclinic.measure.replay.losses.SAMPLE", 8)
    called = loss_call(F.cross_entropy, (LOGITS, CLASSES), {})
    assert called is not None
    assert called["prediction"]["shape"] == [12, 4]
    assert called["prediction"]["largest"] == pytest.approx(float(LOGITS[:1].max()))
