"""A part of a model as a hand-written function whose backward is what autograd makes of that part."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from gradclinic.measure.gradcheck import GradCheck, check_function

from .pull import gradient_of
from .twin import Move, Twin

#: From the leaves given, as they are: the floating outputs.
Part = Callable[[Sequence[Tensor]], Sequence[Tensor]]


def check_part(
    twin: Twin,
    part: Part,
    leaves: Sequence[Tensor],
    parameters: Sequence[int] = (),
    *,
    seconds: float,
    seed: int,
) -> GradCheck:
    """Autograd through ``part`` against finite differences of it, towards each leaf.

    ``parameters``: places of the twin's parameters that the part has; a last input of the check is by how much they
    are moved, flat, in units of their sizes.  Forward and backward both run inside the twin, so that checkpoints
    that compute again find the same weights and buffers.  ``check_function`` says what it could not judge.
    """
    sizes = [twin.parameters[place].numel() * (2 if twin.parameters[place].is_complex() else 1) for place in parameters]

    def move(given: Sequence[Tensor]) -> Move | None:
        if not parameters:
            return None
        parts = dict(zip(parameters, torch.split(given[-1].detach(), sizes), strict=True))
        return lambda place: _shaped(twin, place, parts[place]) if place in parts else None

    def evaluate(inputs: Sequence[Tensor]) -> list[Tensor]:
        return [_real(tensor) for tensor in part(inputs)]

    def own_leaves(given: Sequence[Tensor]) -> list[Tensor]:
        inputs = given[:-1] if parameters else given
        return [one.detach().to(leaf.dtype) for one, leaf in zip(inputs, leaves, strict=True)]

    class Bridge(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, *given: Tensor) -> tuple[Tensor, ...]:
            ctx.given = given
            found = twin.run(lambda: evaluate(own_leaves(given)), move(given))
            return tuple(tensor.detach().clone() for tensor in found)

        @staticmethod
        def backward(ctx: Any, *cotangents: Tensor) -> tuple[Tensor, ...]:
            inputs = [leaf.requires_grad_() for leaf in own_leaves(ctx.given)]
            wanted = [*inputs, *(twin.parameters[place] for place in parameters)]

            def pull() -> list[Tensor | None]:
                pairs = zip(evaluate([leaf.clone() for leaf in inputs]), cotangents, strict=True)
                value = sum(((out * v.to(out)).sum() for out, v in pairs), torch.zeros((), device=cotangents[0].device))
                return gradient_of(value, wanted)

            found = twin.run(pull, move(ctx.given))
            # Zeros, not None: None would say that there is nothing to judge.
            full = [torch.zeros_like(leaf) if own is None else own for own, leaf in zip(found, wanted, strict=True)]
            result = full[: len(inputs)]
            if parameters:
                result.append(
                    torch.cat(
                        [_flat(twin, place, own) for place, own in zip(parameters, full[len(inputs) :], strict=True)]
                    )
                )
            return tuple(own.to(one) for own, one in zip(result, ctx.given, strict=True))

    start = [leaf.detach() for leaf in leaves]
    if parameters:
        start.append(torch.zeros(sum(sizes), dtype=torch.float64, device=twin.parameters[parameters[0]].device))
    return check_function(Bridge, start, seconds=seconds, seed=seed)


def _shaped(twin: Twin, place: int, flat: Tensor) -> Tensor:
    own = twin.parameters[place]
    part = flat.to(device=own.device, dtype=own.real.dtype if own.is_complex() else own.dtype) * twin.sizes[place]
    return torch.view_as_complex(part.reshape(*own.shape, 2)) if own.is_complex() else part.reshape(own.shape)


def _flat(twin: Twin, place: int, gradient: Tensor) -> Tensor:
    dense = gradient.to_dense() if gradient.layout != torch.strided else gradient
    return (_real(dense) * twin.sizes[place]).reshape(-1)


def _real(tensor: Tensor) -> Tensor:
    return torch.view_as_real(tensor.resolve_conj()) if tensor.is_complex() else tensor
