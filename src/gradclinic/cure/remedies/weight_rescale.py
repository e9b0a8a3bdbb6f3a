"""The weights as they are, each layer's times a number."""

from __future__ import annotations

from collections.abc import Iterable

from ..patient import Patient
from ..remedy import CannotApply, Options, Remedy
from ..surgery import Journal
from ..unit_scale import scale_layers, unit_factors

#: Outputs within a factor of three of 1 are of no size that needs correcting.
NEAR = 3.0


class WeightRescale(Remedy):
    """For weights that mean something already, as those of another training do; the factors stand in the recipe."""

    id = "weight_rescale"
    family = "initialization"
    title = "weights rescaled"
    size = 1
    effect = "every layer's outputs have variance 1 on the user's data; directions of the weights stay"
    source = "Mishkin and Matas 2016, arXiv:1511.06422; Krähenbühl et al. 2016, arXiv:1511.06856"

    def propose(self, patient: Patient) -> Iterable[Options]:
        factors = unit_factors(patient)
        if any(not 1 / NEAR <= factor <= NEAR for factor in factors.values()):
            yield {"factors": factors}

    def apply(self, journal: Journal, options: Options) -> None:
        factors = {name: float(factor) for name, factor in options["factors"].items()}
        if not factors:
            raise CannotApply("there are no factors")
        scale_layers(journal, factors)

    def code(self, options: Options) -> str:
        return (
            f"factors = {dict(options['factors'])!r}\n"
            "with torch.no_grad():\n"
            "    for name, factor in factors.items():\n"
            "        for parameter in model.get_submodule(name).parameters():\n"
            "            parameter.mul_(factor)"
        )
