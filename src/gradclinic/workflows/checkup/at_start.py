"""What is measured of the initial weights alone: layers against theory, collapse, gradient check, Jacobian spectra."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from gradclinic.measure.headroom import headroom
from gradclinic.measure.jacobian import NoProduct, Spectrum, model_spectrum
from gradclinic.measure.jacobian.calls import Call, block_names, first_calls
from gradclinic.measure.phase import phases
from gradclinic.measure.representations import representations
from gradclinic.measure.slope import check_slope

Loss = Callable[[nn.Module, Any], torch.Tensor]

#: Samples that a spectrum is taken from: batch normalisation needs a few, and each product costs so many of a batch.
SAMPLES = 4
#: Of a spectrum that is too large to be exact: bidiagonalisation steps, and probes for the mean of σ².
STEPS, PROBES = 5, 1
#: For fewer rows than this the whole spectrum costs no more products than that.
EXACT = 16
#: Bytes that the gradient check may take in float64.  Less than what loading torch takes (300 MiB), so that no machine
#: is short of it; a larger model is checked in its own precision, in which a wrong gradient stands out less sharply.
DOUBLE = 128 << 20
#: Blocks whose spectra are taken.
BLOCKS = 6


def layers(model: nn.Module, loss: Loss, batch: Any, seed: int) -> dict[str, Any]:
    """The mean-field phase of the layers, beside what is measured."""
    return phases(model, lambda: loss(model, batch), seed=seed).to_dict()


def collapse(model: nn.Module, loss: Loss, batch: Any, seed: int) -> dict[str, Any]:
    """How alike different inputs are, module by module."""
    return representations(model, lambda: loss(model, batch), seed=seed).to_dict()


def slope(model: nn.Module, loss: Loss, batch: Any, seed: int) -> dict[str, Any]:
    """Whether the gradient is the slope of the loss."""
    return check_slope(model, loss, batch, seed=seed, most=DOUBLE).to_dict()


def room(model: nn.Module, loss: Loss, batch: Any, seed: int) -> dict[str, Any]:
    """How near the values come to the limits of their formats, in half precision."""
    return {"modules": [own.to_dict() for own in headroom(model, loss, batch, seed=seed)]}


def spectra(model: nn.Module, loss: Loss, batch: Any, seed: int) -> dict[str, Any]:
    """The singular values from input to output, and of each block; of one sample, among :data:`SAMPLES`."""
    calls = first_calls(model, lambda: loss(model, batch), ["", *block_names(model, BLOCKS)], seed=seed)
    return {"calls": [_spectrum(call.cut(SAMPLES), seed) for call in calls]}


def _spectrum(call: Call, seed: int) -> dict[str, Any]:
    try:
        with call.surroundings():
            found = model_spectrum(
                call.module, call.args, call.kwargs, sample=0, steps=STEPS, probes=PROBES, exact_up_to=EXACT, seed=seed
            )
    except (NoProduct, ValueError) as error:
        return {"where": call.name, "why": str(error)}
    return {"where": call.name, **_numbers(found)}


def _numbers(found: Spectrum) -> dict[str, Any]:
    return {
        "largest": found.largest.value,
        "smallest": found.smallest.value if found.smallest.converged else None,
        "mean_square": found.mean,
        "variance": found.variance,
        "rows": found.rows,
        "columns": found.columns,
        "exact": found.exact,
    }


#: Name in words, kind of event, measurement.
MEASUREMENTS: tuple[tuple[str, str, Callable[[nn.Module, Loss, Any, int], dict[str, Any]]], ...] = (
    ("the layers against mean-field theory", "phases", layers),
    ("how alike the inputs become", "representations", collapse),
    ("the gradient against finite differences", "slope", slope),
    ("the room in the number formats", "headroom", room),
    ("the singular values of the Jacobian", "spectrum", spectra),
)
