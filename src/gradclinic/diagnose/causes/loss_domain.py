"""A loss that was given what it is not defined for: part of ``wrong_objective``.

torch checks shapes, and hardly any values: raw logits in place of log-probabilities, labels of 0 and 1 in place of -1
and 1, or a batch that was normalised over the wrong dimension all give a number, and a wrong gradient.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from gradclinic.schema.finding import CauseId, Finding

from ..conditions.common import outcome_sentence
from ..evidence import Evidence

Facts = dict[str, Any]
#: (cause, what is wrong, what to do)
Wrong = tuple[CauseId, str, str]

#: Rounding: float16 sums of probabilities are off by up to a hundredth.
ROUNDING = 0.02


def loss_domain(evidence: Evidence) -> Finding | None:
    """The first loss call whose prediction or target lies outside of what the loss is defined for."""
    for event in evidence.events("loss_call"):
        call = event.data
        rule = _RULES.get(call["function"])
        wrong = _swapped(call) or (rule and rule(call["prediction"], call["target"] or {}, call["options"]))
        if wrong is None:
            continue
        cause, because, action = wrong
        numbers = {"loss_function": call["function"]}
        for name in ("prediction", "target"):
            facts = call[name] or {}
            numbers |= {f"{name}_{key}": facts[key] for key in ("shape", "least", "largest") if key in facts}
        return Finding(
            condition="wrong_objective",
            cause=cause,
            where=(call["module"] or call["function"],),
            step=evidence.step_of(event.tick),
            severity="critical",
            confidence=0.95,
            evidence=numbers | evidence.learning.numbers(),
            explanation=f"{_NAMES.get(call['function'], call['function'])} {because}. {outcome_sentence(evidence)}",
            action=action,
            remedies=("fit_loss_to_task",),
            source=f"{_NAMES.get(call['function'], 'torch.nn.functional.' + call['function'])}: what it is defined for",
        )
    return None


def _swapped(call: Facts) -> Wrong | None:
    """A fixed value given as the prediction and the model's output as its target, to a loss that is not symmetric."""
    target = call["target"] or {}
    if call["function"] not in _LOPSIDED or call["prediction"].get("tracked") or not target.get("tracked"):
        return None
    return (
        "loss_mismatch",
        "was given the model's output as the target, and a value that nothing trains as the prediction",
        f"Turn the two round: {call['function']}(prediction, target).",
    )


def _log_probabilities(prediction: Facts, dimension: int, function: str) -> Wrong | None:
    """Log-probabilities are never positive, and their exponentials sum to 1 along the classes."""
    if prediction.get("largest", 0.0) > ROUNDING:
        what = "probabilities" if prediction["least"] >= 0 and prediction["largest"] <= 1 + ROUNDING else "raw logits"
        advice = "Take log_softmax instead of softmax" if what == "probabilities" else "Apply log_softmax to the output"
        also = ", or give the logits to cross_entropy" if function == "nll_loss" else ""
        because = f"takes log-probabilities, which are never positive, and was given {what} up to"
        return "output_activation", f"{because} {prediction['largest']:.3g}", f"{advice}{also}."
    return _other_dimension(prediction.get("log_sums"), 0.0, dimension, "log_softmax")


def _other_dimension(spans: list[list[float]] | None, total: float, dimension: int, name: str) -> Wrong | None:
    """Whether the values are normalised, but along another dimension than the classes'."""
    if not spans or dimension >= len(spans) or _equal(spans[dimension], total):
        return None
    other = next((index for index, span in enumerate(spans) if _equal(span, total)), None)
    if other is None:
        return None
    because = f"has its classes in dimension {dimension}, and {name} was taken along dimension {other}"
    return "output_activation", because, f"Take {name} along the classes: dim={dimension}."


def _equal(span: list[float], value: float) -> bool:
    return abs(span[0] - value) < ROUNDING and abs(span[1] - value) < ROUNDING


def _nll(prediction: Facts, target: Facts, options: Facts) -> Wrong | None:
    return _log_probabilities(prediction, min(1, len(prediction["shape"]) - 1), "nll_loss")


def _ctc(prediction: Facts, target: Facts, options: Facts) -> Wrong | None:
    return _log_probabilities(prediction, len(prediction["shape"]) - 1, "ctc_loss")


def _divergence(prediction: Facts, target: Facts, options: Facts) -> Wrong | None:
    wrong = _log_probabilities(prediction, len(prediction["shape"]) - 1, "kl_div")
    if wrong is not None:
        return wrong
    if options.get("log_target"):
        if target.get("largest", 0.0) > ROUNDING:
            return "loss_mismatch", "was told log_target=True, and the target is no logarithm", "Set log_target=False."
    elif target.get("least", 0.0) < -ROUNDING:
        return (
            "loss_mismatch",
            f"takes probabilities as its target, and was given values down to {target['least']:.3g}",
            "Give it target probabilities, or set log_target=True.",
        )
    return None


def _cross_entropy(prediction: Facts, target: Facts, options: Facts) -> Wrong | None:
    """Targets of floating point are probabilities: not negative, and they sum to 1 along the classes."""
    shape = prediction["shape"]
    classes = min(1, len(shape) - 1)
    if _are_probabilities(prediction, classes):
        return (
            "output_activation",
            "applies softmax itself, and was given probabilities: no prediction can become certain",
            "Give it the logits: take the softmax off the output.",
        )
    if shape and shape[classes] == 1:
        return (
            "loss_mismatch",
            "compares classes, and the output has a single one, so that it is 0 whatever the model does",
            "Use mse_loss for a number, binary_cross_entropy_with_logits for yes or no.",
        )
    if target.get("integer", True) or "least" not in target or target["shape"] != shape:
        return None
    sums = target.get("sums", [])
    span = sums[classes] if classes < len(sums) else [1.0, 1.0]
    if target["least"] >= 0 and span[0] > -ROUNDING and span[1] < 1 + ROUNDING:
        return None  # probabilities; rows of zeros are a way to leave a sample out
    if target["whole"] and target["least"] >= 0 and target["largest"] <= 1:
        return (
            "loss_mismatch",
            "has one right class for each sample, and the targets mark up to"
            f" {span[1]:.0f}: the classes compete where they should not",
            "Use binary_cross_entropy_with_logits for several labels at once.",
        )
    return (
        "loss_mismatch",
        f"takes class probabilities as its target, and was given values from {target['least']:.3g} to"
        f" {target['largest']:.3g}",
        "Use mse_loss for numbers, or class indices for classes.",
    )


def _are_probabilities(prediction: Facts, classes: int) -> bool:
    """Whether the values sum to 1 along the classes, to within rounding, and none is negative."""
    sums = prediction.get("sums", [])
    if classes >= len(sums) or prediction["shape"][classes] < 2 or prediction["least"] < 0:
        return False
    return _equal(sums[classes], 1.0)


def _binary(prediction: Facts, target: Facts, options: Facts) -> Wrong | None:
    low, high = target.get("least", 0.0), target.get("largest", 1.0)
    if options.get("reduction") == "none":
        low, high = max(low, 0.0), min(high, 1.0)  # what is marked with another number may be left out afterwards
    if low >= -ROUNDING and high <= 1 + ROUNDING:
        return _other_dimension_of_probabilities(prediction)
    because = f"takes targets between 0 and 1, and was given values from {low:.3g} to {high:.3g}"
    if target["whole"] and (low, high) == (-1.0, 1.0):
        return "loss_mismatch", because, "Turn labels of -1 and 1 into 0 and 1: (y + 1) / 2."
    if target["whole"] and low >= 0:
        return "loss_mismatch", because, "Use cross_entropy with one output for each class."
    return "loss_mismatch", f"{because}, so that it has no minimum", "Scale the targets to 0..1, or use mse_loss."


def _other_dimension_of_probabilities(prediction: Facts) -> Wrong | None:
    shape = prediction["shape"]
    if len(shape) != 2 or shape[1] < 2 or shape[0] == shape[1]:
        return None
    return _other_dimension(prediction.get("sums"), 1.0, 1, "softmax")


def _signs(prediction: Facts, target: Facts, options: Facts) -> Wrong | None:
    if "least" not in target or not target["whole"] or target["least"] < 0 or not target["zeros"]:
        return None
    return (
        "loss_mismatch",
        f"takes labels of -1 and 1, and was given {target['least']:.3g} and {target['largest']:.3g}: a label of 0 is"
        " no label to it",
        "Turn labels of 0 and 1 into -1 and 1: 2 * y - 1.",
    )


def _listed_labels(prediction: Facts, target: Facts, options: Facts) -> Wrong | None:
    if "least" not in target or target["least"] < 0 or target["largest"] > 1:
        return None
    return (
        "loss_mismatch",
        "takes the indices of the right classes, ended by -1, and was given marks of 0 and 1",
        "Use multilabel_soft_margin_loss or binary_cross_entropy_with_logits for marks of 0 and 1.",
    )


def _counts(prediction: Facts, target: Facts, options: Facts) -> Wrong | None:
    if target.get("least", 0.0) < 0:
        return (
            "loss_mismatch",
            f"takes counts, and was given targets down to {target['least']:.3g}",
            "Use mse_loss, or leave the counts unscaled.",
        )
    rate = prediction.get("by")
    if options.get("log_input") and rate in _POSITIVE:
        return (
            "loss_mismatch",
            f"was told log_input=True, takes the output as the logarithm of the rate, and was given what {rate} made"
            " positive: the rate itself",
            f"Set log_input=False, or take the {rate} off the output.",
        )
    if options.get("log_input") is False and prediction.get("least", 1.0) < 0:
        return (
            "output_activation",
            f"was told log_input=False, and takes the logarithm of predictions down to {prediction['least']:.3g}",
            "Set log_input=True, or make the output positive with softplus.",
        )
    return None


def _error(prediction: Facts, target: Facts, options: Facts) -> Wrong | None:
    """An error against numbers that cannot come near them, because of what made the prediction."""
    low, high, by = target.get("least"), target.get("largest"), prediction.get("by", "")
    if low is None or high is None:
        return None
    if by == "log_softmax" and low >= 0 and high > 0:
        return (
            "loss_mismatch",
            f"compares logarithms of probabilities, which are never positive, with targets from {low:.3g} to"
            f" {high:.3g}",
            "Use nll_loss or cross_entropy for classes.",
        )
    return None


#: Losses that are no function of torch's.
_NAMES: Final = {"margin": "a loss on the margin y·f(x), written out,"}
#: What makes any number positive, as a rate or a variance must be.
_POSITIVE: Final = ("softplus", "relu", "exp", "square", "abs")
#: Losses for which prediction and target cannot change places.
_LOPSIDED: Final = ("cross_entropy", "nll_loss", "kl_div", "binary_cross_entropy", "binary_cross_entropy_with_logits",
                    "poisson_nll_loss")  # fmt: skip

_RULES: Final[dict[str, Callable[[Facts, Facts, Facts], Wrong | None]]] = {
    "nll_loss": _nll,
    "ctc_loss": _ctc,
    "kl_div": _divergence,
    "cross_entropy": _cross_entropy,
    "binary_cross_entropy": _binary,
    "binary_cross_entropy_with_logits": _binary,
    "multilabel_soft_margin_loss": _binary,
    "soft_margin_loss": _signs,
    "hinge_embedding_loss": _signs,
    "margin_ranking_loss": _signs,
    "margin": _signs,
    "cosine_embedding_loss": _signs,
    "multilabel_margin_loss": _listed_labels,
    "poisson_nll_loss": _counts,
    "mse_loss": _error,
    "l1_loss": _error,
    "smooth_l1_loss": _error,
    "huber_loss": _error,
}
