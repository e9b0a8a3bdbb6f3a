"""A model as a function of its inputs, or of its parameters, alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from .exceptions import NotConnected
from .products import MODES, Jacobian
from .still import Still
from .tree import cloned, floating


def input_jacobian(
    model: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: Mapping[str, Any] | None = None,
    *,
    sample: int | None = None,
    seed: int = 0,
    modes: Sequence[str] = MODES,
) -> Jacobian:
    """The Jacobian of ``model(*args, **kwargs)`` by its inputs; ``model`` is a module or any callable.

    Columns: the floating tensors among ``args`` in order, flattened, one given twice counted once (self-attention's
    query, key and value); if there is none, those among ``kwargs``.  All else is held constant.  Rows: the floating
    outputs.  With ``sample`` only that index of the first dimension of each varies, and only its outputs count; the
    others stay, and still take part in batch statistics.

    A module is left as it was (:class:`~.still.Still`).  Raises NotConnected where there is no floating input,
    ValueError where ``sample`` is asked for and a floating tensor has no such row.
    """
    kwargs = dict(kwargs or {})
    varied, fixed = ((args, {}), kwargs) if floating(args)[0] else ((args, kwargs), {})
    given = floating(varied)[0]
    rebuild = floating(cloned(varied))[1]
    distinct = list({id(tensor): tensor for tensor in given}.values())
    if not distinct:
        raise NotConnected("no input is a floating tensor")
    places = [next(i for i, tensor in enumerate(distinct) if tensor is own) for own in given]
    point = distinct if sample is None else [_cut(tensor, sample) for tensor in distinct]
    still = Still(model if isinstance(model, nn.Module) else None, seed=seed)

    def function(leaves: Sequence[Tensor]) -> Any:
        def call() -> Any:
            # Copies, because a model may write to its inputs; the same one for each place of the same tensor.
            full = [
                leaf.clone() if sample is None else _put(whole.detach(), leaf, sample)
                for leaf, whole in zip(leaves, distinct, strict=True)
            ]
            positional, named = rebuild([full[place] for place in places])
            result = model(*positional, **named, **cloned(fixed))
            return result if sample is None else [_cut(tensor, sample) for tensor in floating(result)[0]]

        return still.run(call)

    return Jacobian(function, point, modes=modes, within=lambda leaves, thunk: still.run(thunk))


def parameter_jacobian(
    model: nn.Module,
    args: tuple[Any, ...],
    kwargs: Mapping[str, Any] | None = None,
    *,
    seed: int = 0,
    modes: Sequence[str] = MODES,
) -> Jacobian:
    """The Jacobian of ``model(*args, **kwargs)`` by its trainable parameters, in the order of ``parameters()``.

    Tied parameters count once.  Rows: the floating outputs.  The model is left as it was (:class:`~.still.Still`).
    Raises NotConnected where no output depends on a trainable parameter.
    """
    still = Still(model, seed=seed)
    names, point = trainable(model)

    def within(leaves: Sequence[Tensor], thunk: Callable[[], Any]) -> Any:
        return still.run(thunk, dict(zip(names, leaves, strict=True)))

    def function(leaves: Sequence[Tensor]) -> Any:
        return within(leaves, lambda: model(*cloned(args), **cloned(dict(kwargs or {}))))

    return Jacobian(function, point, modes=modes, within=within)


def trainable(model: nn.Module, *, own: bool = False) -> tuple[list[str], list[Tensor]]:
    """Names of the trainable parameters and copies of them (``own``: themselves, detached); tied ones once."""
    found = {name: parameter for name, parameter in model.named_parameters() if parameter.requires_grad}
    return list(found), [p.detach() if own else p.detach().clone() for p in found.values()]


def _cut(tensor: Tensor, sample: int) -> Tensor:
    if tensor.dim() == 0 or not 0 <= sample < tensor.shape[0]:
        raise ValueError(f"a tensor of shape {tuple(tensor.shape)} has no sample {sample}")
    return tensor[sample : sample + 1]


def _put(whole: Tensor, part: Tensor, sample: int) -> Tensor:
    return torch.cat([whole[:sample], part, whole[sample + 1 :]])
