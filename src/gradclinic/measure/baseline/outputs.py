"""A model's outputs on several batches as one common shift for each output, and what tells the samples apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import torch
from torch import Tensor

from gradclinic.measure.jacobian import Split
from gradclinic.measure.window import sample_dimensions

from .link import Link


@dataclass(frozen=True, slots=True)
class Outputs:
    """Batches by output tensors (as many as the model returns); ``links`` says on which line the numbers are moved."""

    shapes: list[list[torch.Size]]
    means: list[Tensor]  #: one number per output, over all samples of all batches
    patterns: list[list[Tensor]]  #: what is left, over ``spread``
    links: list[Link]
    spread: float  #: root mean square of what is left

    @classmethod
    def of(cls, tensors: Sequence[Sequence[Tensor]], links: Sequence[Link]) -> Outputs:
        """``tensors``: for each batch the output tensors, samples first, float64."""
        real = [[link.back(tensor) for link, tensor in zip(links, own, strict=True)] for own in tensors]
        means = [torch.stack([_mean(own[place]) for own in real]).mean(0) for place in range(len(links))]
        rest = [[part - mean for part, mean in zip(own, means, strict=True)] for own in real]
        spread = float(torch.cat([part.reshape(-1) for own in rest for part in own]).square().mean().sqrt())
        patterns = [[part / spread if spread > 0 else part for part in own] for own in rest]
        return cls([[tensor.shape for tensor in own] for own in tensors], means, patterns, list(links), spread)

    def flat(self, batch: int, shifts: Sequence[Tensor], scale: Tensor | None) -> Tensor:
        """shifts + scale·pattern of one batch, as its :class:`~gradclinic.measure.jacobian.Split` takes it."""
        parts = []
        for place, link in enumerate(self.links):
            moved = shifts[place].expand(self.shapes[batch][place])
            if scale is not None:
                moved = moved + scale * self.patterns[batch][place]
            parts.append(link.onto(moved).reshape(-1))
        return torch.cat(parts)


def in_shapes(split: Split, flat: Tensor) -> list[Tensor]:
    """The flat outputs of a split as the tensors that they were."""
    shapes = list(split.shapes or [flat.shape])
    parts = torch.split(flat, [prod(shape) for shape in shapes])
    return [part.reshape(shape) for part, shape in zip(parts, shapes, strict=True)]


def samples(tensor: Tensor) -> int:
    """How many samples an output tells apart: the places of a sequence and of an image count."""
    return prod(tensor.shape[place] for place in sample_dimensions(tensor.dim()))


def _mean(real: Tensor) -> Tensor:
    dimensions = sample_dimensions(real.dim())
    return real.mean(dimensions, keepdim=True) if dimensions else real
