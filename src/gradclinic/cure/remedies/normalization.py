"""Normalisation between a layer and its activation."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from torch import nn

from ..patient import Patient
from ..remedy import CannotApply, Options, Remedy
from ..surgery import Journal, Part, Untraceable, edit_graphs
from ..surgery.nodes import (
    CONVOLUTIONS,
    WEIGHTED,
    activation_of,
    chain,
    insert_module,
    is_norm,
    leads_to_weights,
    module_of,
)

#: Channels per group; with fewer channels there is one group (Wu and He 2018 found 16 to 32 good).
PER_GROUP = 16


class Normalization(Remedy):
    """Inserts a normalisation after every dense or convolutional layer that an activation follows."""

    id = "normalization"
    family = "normalization"
    title = "normalisation before the activations"
    size = 4
    effect = "every layer gets inputs of the same scale, whatever the layers before it do"
    source = "Ioffe and Szegedy 2015; Ba et al. 2016; Wu and He 2018; Zhang and Sennrich 2019 (RMSNorm)"

    def propose(self, patient: Patient) -> Iterable[Options]:
        if patient.normalized or not patient.hidden_activations:
            return
        calls = [call for name, call in patient.calls.items() if name and call.args]
        if not calls:
            return
        convolutional = any(isinstance(call.module, CONVOLUTIONS) for call in calls)
        # In a batch of one, or on the tokens of a sequence, the statistics of a batch are none.
        batched = all(
            call.args[0].dim() == (4 if isinstance(call.module, nn.Conv2d) else 2) and call.args[0].shape[0] > 1
            for call in calls
            if isinstance(call.module, (nn.Linear, nn.Conv2d))
        )
        if batched:
            yield {"kind": "batch"}
        yield {"kind": "group" if convolutional else "layer"}

    def apply(self, journal: Journal, options: Options) -> None:
        kind = options["kind"]
        if kind not in ("batch", "layer", "rms", "group"):
            raise CannotApply(f"no such normalisation: {kind!r}; there are batch, layer, rms and group")
        try:
            done = edit_graphs(journal, lambda part: _insert(part, kind))
        except Untraceable as error:
            raise CannotApply(str(error)) from error
        if not done:
            raise CannotApply("no layer with an activation after it lacks a normalisation")

    def says(self, options: Options) -> str:
        return {"batch": "batch", "layer": "layer", "rms": "RMS", "group": "group"}[options["kind"]] + " normalisation"

    def code(self, options: Options) -> str:
        name = {"batch": "BatchNorm1d", "layer": "LayerNorm", "rms": "RMSNorm", "group": "GroupNorm"}[options["kind"]]
        return f"# in the model, between each layer and its activation: nn.{name} of the layer's outputs"


def _insert(part: Part, kind: str) -> bool:
    done = False
    for node in list(part.graph.nodes):
        layer = module_of(node, part.owner)
        if not isinstance(layer, WEIGHTED):
            continue
        after = list(chain(node))
        if after and is_norm(after[0], part.owner):
            continue
        act = next((each for each in after[:2] if activation_of(each, part.owner)), None)
        if act is None or not leads_to_weights(act, part.owner):
            continue
        make = _maker(layer, kind)
        insert_module(part.graph, node, part.beside(node, "norm", make))
        done = True
    return done


def _maker(layer: nn.Module, kind: str) -> Callable[[], nn.Module]:
    size = int(getattr(layer, "out_features", 0) or getattr(layer, "out_channels", 0))
    dimensions = 0 if isinstance(layer, nn.Linear) else len(layer.kernel_size)  # type: ignore[arg-type]
    if kind == "batch":
        return lambda: (nn.BatchNorm1d, nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)[dimensions](size)
    if dimensions:  # over channels and places; one group is the layer normalisation of images
        groups = max(1, size // PER_GROUP) if kind == "group" and size % PER_GROUP == 0 else 1
        return lambda: nn.GroupNorm(groups, size)
    return lambda: nn.RMSNorm(size) if kind == "rms" else nn.LayerNorm(size)
