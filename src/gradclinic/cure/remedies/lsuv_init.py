"""Orthogonal weights, scaled until every layer gives outputs of variance 1 on the user's own data."""

from __future__ import annotations

from collections.abc import Iterable

from torch import nn

from ..patient import Patient
from ..remedy import CannotApply, Options, Remedy
from ..surgery import Journal
from ..surgery.layers import redraw
from ..unit_scale import scale_layers, unit_factors


class LsuvInit(Remedy):
    """The factors are measured when it is proposed, on one draw and the model as it was, and stand in the recipe.

    For another draw they hold as far as wide layers are alike: the variance is 1 to about 1/√width.
    """

    id = "lsuv_init"
    family = "initialization"
    title = "layer-sequential unit-variance initialisation"
    size = 1
    effect = "signals keep their size whatever stands between the layers, pooling, dropout and odd activations included"
    source = "Mishkin and Matas 2016, arXiv:1511.06422"

    def propose(self, patient: Patient) -> Iterable[Options]:
        factors = unit_factors(patient, _orthogonal)
        if factors:
            yield {"factors": factors}

    def apply(self, journal: Journal, options: Options) -> None:
        if not _orthogonal(journal):
            raise CannotApply("the model has no dense or convolutional layer to initialise")
        scale_layers(journal, {name: float(factor) for name, factor in options["factors"].items()})

    def code(self, options: Options) -> str:
        return (
            f"factors = {dict(options['factors'])!r}\n"
            "for name, factor in factors.items():\n"
            "    layer = model.get_submodule(name)\n"
            "    nn.init.orthogonal_(layer.weight, gain=factor)\n"
            "    if layer.bias is not None:\n"
            "        nn.init.zeros_(layer.bias)"
        )


def _orthogonal(journal: Journal) -> int:
    return redraw(journal, lambda empty, _, generator: nn.init.orthogonal_(empty, generator=generator), 1.0)
