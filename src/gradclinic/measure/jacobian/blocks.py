"""The spectrum from input to output of a model, and of each of its blocks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from .exceptions import NoProduct, in_one_line
from .golub_kahan import EXACT_UP_TO, PROBES, STEPS, spectrum
from .products import MODES
from .pure import input_jacobian
from .spectrum import Spectrum


@dataclass(frozen=True, slots=True, eq=False)
class BlockSpectrum:
    """The spectrum of one block, or the reason why there is none, in one line."""

    place: int
    spectrum: Spectrum | None
    reason: str = ""


def model_spectrum(
    model: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: Mapping[str, Any] | None = None,
    *,
    sample: int | None = None,
    steps: int = STEPS,
    probes: int = PROBES,
    exact_up_to: int = EXACT_UP_TO,
    generator: torch.Generator | None = None,
    seed: int = 0,
    modes: Sequence[str] = MODES,
) -> Spectrum:
    """The singular values of the Jacobian of ``model(*args, **kwargs)`` by its floating inputs, all flattened.

    Which inputs vary, and what ``sample`` does, says :func:`~.pure.input_jacobian`.  At a critical initialisation of
    depth L the mean of σ² is 1 and its variance L(μ₂/μ₁² - 1 + g), g = 1 for Gaussian weights and 0 for orthogonal
    ones (Pennington et al. 2017, 2018).  The model and all generators are left as they were.

    Raises NotConnected (integer inputs: give the embedding's output to the rest), NotFinite, NoForwardMode.
    """
    jacobian = input_jacobian(model, args, kwargs, sample=sample, seed=seed, modes=modes)
    return spectrum(jacobian, steps=steps, probes=probes, exact_up_to=exact_up_to, generator=generator)


def block_spectra(
    blocks: Sequence[Callable[..., Any]],
    inputs: Sequence[tuple[Any, ...]],
    kwargs: Sequence[Mapping[str, Any]] | None = None,
    **options: Any,
) -> tuple[BlockSpectrum, ...]:
    """:func:`model_spectrum` of each block (module or callable) at its recorded positional inputs.

    ``kwargs``: the recorded named inputs, one mapping per block; ``options`` go to :func:`model_spectrum`.  A block
    that has no spectrum does not end the others.  Raises ValueError where the lengths differ.
    """
    named = kwargs if kwargs is not None else [{}] * len(blocks)
    if not len(blocks) == len(inputs) == len(named):
        raise ValueError(f"{len(blocks)} blocks, {len(inputs)} inputs and {len(named)} named inputs")
    found = []
    for place, (block, args) in enumerate(zip(blocks, inputs, strict=True)):
        try:
            found.append(BlockSpectrum(place, model_spectrum(block, args, named[place], **options)))
        except NoProduct as error:
            found.append(BlockSpectrum(place, None, in_one_line(error)))
    return tuple(found)
