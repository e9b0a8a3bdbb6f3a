"""The model's input is brought to mean 0 and standard deviation 1."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_flatten, tree_unflatten

from ..patient import Patient
from ..remedy import CannotApply, Options, Remedy
from ..surgery import Journal

#: Columns up to which each gets its own mean and deviation; a recipe stays readable.
COLUMNS = 256
#: Means and deviations within these are standardised already: first layers are made for such.
SCALE, SHIFT = (0.3, 3.0), 1.0


class InputStandardization(Remedy):
    """As a part of the model, so that evaluation and use get it too."""

    id = "input_standardization"
    family = "inputs"
    title = "inputs standardised"
    size = 1
    effect = "the loss is curved alike in all directions of the first layer, which then bears larger steps"
    source = "LeCun et al. 1998, Efficient BackProp, 4.3"

    def propose(self, patient: Patient) -> Iterable[Options]:
        x = None if patient.task.pretrained is not None else patient.inputs  # old weights expect what they learned on
        if x is None or not bool(x.isfinite().all()):
            return
        flat = x.reshape(-1, x.shape[-1])
        table = x.dim() == 2 and x.shape[-1] <= COLUMNS
        mean, std = (flat.mean(0), flat.std(0)) if table else (flat.mean(), flat.std())
        used = std[std > 0]  # a constant column says nothing
        if not used.numel():
            return
        fits = bool(((used >= SCALE[0]) & (used <= SCALE[1])).all()) and bool((mean.abs() <= SHIFT).all())
        if not fits:
            std = torch.where(std > 0, std, torch.ones_like(std))
            yield {"mean": _plain(mean), "std": _plain(std)}

    def apply(self, journal: Journal, options: Options) -> None:
        mean, std = (torch.tensor(options[key], dtype=torch.float32) for key in ("mean", "std"))
        if not bool((std > 0).all()):
            raise CannotApply("standard deviations must be above 0")
        names = [journal.buffer(journal.model, *pair) for pair in (("input_mean", mean), ("input_std", std))]
        before = partial(_before, names=names)
        journal.hook(journal.model.register_forward_pre_hook(before, with_kwargs=True, prepend=True))

    def code(self, options: Options) -> str:
        if isinstance(options["mean"], list):
            return "x = (x - mean) / std  # of each column of the training data, before the model"
        return f"x = (x - {float(options['mean']):.6g}) / {float(options['std']):.6g}  # before the model"


def _before(
    model: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], *, names: list[str]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The first tensor among the arguments is the input, as in :attr:`.Patient.inputs`."""
    leaves, spec = tree_flatten((args, kwargs))
    place = next((place for place, leaf in enumerate(leaves) if isinstance(leaf, Tensor)), None)
    if place is None or not leaves[place].is_floating_point():
        return args, kwargs
    mean, std = (getattr(model, name) for name in names)
    x = leaves[place]
    wide = torch.promote_types(x.dtype, torch.float32)  # a half holds neither large means nor small deviations
    leaves[place] = ((x.to(wide) - mean.to(wide)) / std.to(wide)).to(x.dtype)
    args, kwargs = tree_unflatten(leaves, spec)
    return args, kwargs


def _plain(value: Tensor) -> Any:
    """Six digits are more than a few batches know."""
    return [float(f"{x:.6g}") for x in value.tolist()] if value.dim() else float(f"{float(value):.6g}")
