"""A closure ``loss(model, batch)`` taken apart: parameters → outputs → loss."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import inf, nan, sqrt
from typing import Any

import torch
from torch import Tensor, nn

from .exceptions import NoSplit, NotConnected, in_one_line
from .flat import Layout
from .graph import Within, as_is
from .intercept import Given, Recorded, recording, replaced
from .pure import trainable
from .still import Still
from .tree import cloned

Loss = Callable[[nn.Module, Any], Tensor]


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """A loss as a function of the model's outputs; may be built by hand from the first three.

    ``outputs(parameters)`` → the outputs, flat (n,); ``loss_of(outputs)`` → the loss, a scalar; ``parameters`` are
    where to look.  ``loss_at(parameters)`` is the whole closure, None where built by hand.  ``calls``: how often the
    closure calls the model; the outputs of all calls that depend on parameters are concatenated.  ``missed``: the
    part of the loss's gradient that does not go through the outputs, as a fraction of the gradient's norm (a weight
    penalty, a hidden output, a submodule called directly).  ``shapes``: those of the tensors inside the flat outputs,
    in real numbers, None where unknown.  ``within`` surrounds backward passes.
    """

    outputs: Callable[[Sequence[Tensor]], Tensor]
    loss_of: Callable[[Tensor], Tensor]
    parameters: Sequence[Tensor]
    loss_at: Callable[[Sequence[Tensor]], Tensor] | None = None
    names: Sequence[str] = ()
    calls: int = 1
    missed: float = 0.0
    shapes: Sequence[torch.Size] | None = None
    within: Within = as_is


def split(
    model: nn.Module, loss: Loss, batch: Any, *, seed: int = 0, trusted: bool = False, own: bool = False
) -> Split:
    """``loss(model, batch)`` taken apart by watching the root module's forward.

    The outputs are the floating tensors that the root module returns, in tuples, lists, dicts and dataclasses at any
    depth, as its forward hooks left them; all else it returns is held constant.  The closure is run once to see them;
    for the loss it is run again with the forward replaced.  Random numbers are the same in every run, in the part
    after the model too.  The model, the batch and all generators are left as they were (:class:`~.still.Still`);
    the parameters are copies.  ``own``: the model is the caller's own and stays as it is while the split is in use;
    then its parameters are used themselves, and nothing is copied.  ``trusted``: another batch of the same closure
    could be taken apart, so that it is not held against the whole again (two backward passes); ``missed`` is then nan.

    Raises NoSplit where the closure never calls the root module (``model.forward(x)`` and calls of its parts are not
    seen), calls it another number of times in another run, returns no scalar, returns a loss that the model itself
    computed or that does not depend on the outputs; NotConnected where no output depends on a trainable parameter;
    and whatever the closure raises.
    """
    still = Still(model, seed=seed, own=own)
    names, parameters = trainable(model, own=own)
    leaves = [parameter.detach().requires_grad_() for parameter in parameters]

    def within(point: Sequence[Tensor], thunk: Callable[[], Any]) -> Any:
        return still.run(thunk, dict(zip(names, point, strict=True)))

    @torch.enable_grad()
    def loss_at(point: Sequence[Tensor]) -> Tensor:
        return _scalar(within(point, lambda: loss(model, cloned(batch))))

    seen: list[Recorded] = []
    with recording(model, seen):
        whole = loss_at(leaves)
    if not seen:
        raise NoSplit("the loss never calls the model itself: its outputs cannot be told from its parts")
    calls = [call.without_graph() for call in seen]
    layout = Layout.of([tensor for call in calls for tensor in call.chosen])
    if not layout.size:
        raise NotConnected("no floating output of the model depends on a trainable parameter")

    @torch.enable_grad()
    def outputs(point: Sequence[Tensor]) -> Tensor:
        found: list[Recorded] = []
        with recording(model, found, enough=len(calls)) as over:
            within(point, lambda: over(lambda: loss(model, cloned(batch))))
        _same_number(len(found), len(calls))
        return layout.join(
            [call.tensors[place] for call, old in zip(found, calls, strict=True) for place in old.places]
        )

    @torch.enable_grad()
    def loss_of(flat: Tensor) -> Tensor:
        given = Given(calls, layout.split(flat))
        with replaced(model, given):
            value = _scalar(still.run(lambda: loss(model, cloned(batch))))
        _same_number(given.used, len(calls))
        return value

    found = Split(
        outputs, loss_of, tuple(parameters), loss_at, tuple(names), len(calls), 0.0, layout.real_shapes, within
    )
    if trusted:
        return replace(found, missed=nan)
    return replace(found, missed=_missed(found, whole, leaves, [t for call in seen for t in call.chosen]))


@torch.enable_grad()
def _missed(found: Split, whole: Tensor, leaves: list[Tensor], tensors: list[Tensor]) -> float:
    """See :attr:`Split.missed`; ``whole`` and ``tensors`` are the loss and the outputs with their graph."""
    if not whole.requires_grad:
        raise NoSplit("the loss does not depend on any trainable parameter")
    rows = Layout.of(tensors)
    flat = rows.join([tensor.detach() for tensor in tensors]).requires_grad_()
    try:
        value = found.loss_of(flat)
        slopes = torch.autograd.grad(value, flat, create_graph=True) if value.requires_grad else ()
    except NoSplit:
        raise
    except Exception as error:  # the closure ran with the model itself, so it does more with it than read its outputs
        raise NoSplit(f"the loss fails where the outputs are given: {in_one_line(error)}") from error
    if not slopes:
        raise NoSplit("the loss does not depend on the model's outputs")
    cotangents = rows.split(slopes[0].detach())
    moving = [tensor for tensor, cotangent in zip(tensors, cotangents, strict=True) if bool(cotangent.any())]
    if moving and not slopes[0].requires_grad and all(tensor.dim() == 0 for tensor in moving):
        raise NoSplit("the model returns the loss itself: let it return what the loss is computed from")

    def gradient(of: Sequence[Tensor], cotangent: Sequence[Tensor] | None) -> Sequence[Tensor | None]:
        return torch.autograd.grad(of, leaves, cotangent, retain_graph=True, allow_unused=True)

    direct = found.within(leaves, lambda: gradient([whole], None))
    through = found.within(leaves, lambda: gradient(tensors, cotangents))
    length = sqrt(sum(_square(one) for one in direct))
    apart = sqrt(sum(_square(one, other) for one, other in zip(direct, through, strict=True)))
    return apart / length if length else (inf if apart else 0.0)


def _square(one: Tensor | None, other: Tensor | None = None) -> float:
    """‖one - other‖² in float64, tensor by tensor: no vector of all parameters is made; None stands for zeros."""
    one, other = (None if tensor is None else _real(tensor) for tensor in (one, other))
    if one is None or other is None:
        kept = one if one is not None else other
        return 0.0 if kept is None else float(kept.square().sum())
    return float((one - other).square_().sum())


def _real(tensor: Tensor) -> Tensor:
    return Layout.of([tensor]).join([tensor])


def _same_number(now: int, before: int) -> None:
    if now != before:
        raise NoSplit(f"the loss called the model {before} times, and then {now} times")


def _scalar(value: Any) -> Tensor:
    if not isinstance(value, Tensor) or value.numel() != 1:
        shape = f"a tensor of shape {tuple(value.shape)}" if isinstance(value, Tensor) else type(value).__name__
        raise NoSplit(f"the loss is to be a scalar tensor, not {shape}")
    return value.reshape(())
