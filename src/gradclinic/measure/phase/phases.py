"""The phases of a model's layers, from one forward pass and, if asked for, one backward pass."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from gradclinic.measure.jacobian.pure import trainable
from gradclinic.measure.jacobian.still import Still
from gradclinic.schema.phase import Phases, Unrecognized

from .chains import chains, shortcuts
from .parts import Normalization, Scale
from .recurrent import recurrent_stacks
from .stacks import stack
from .watch import ROOT, Watch

#: Modules with parameters that the theory has no place for, by what is said of them.
_NAMED = (
    (nn.MultiheadAttention, "attention: not described by this theory"),
    (nn.Embedding, "a look-up: it begins a stack"),
    (nn.EmbeddingBag, "a look-up: it begins a stack"),
    (nn.PReLU, ""),  # an activation
)


def phases(model: nn.Module, run: Callable[[], Any], *, backward: bool = False, seed: int = 0) -> Phases:
    """Which mean-field phase the layers of ``model`` are in, as its weights are now.

    Args:
        model: whose modules are named; the functions it calls are watched, so F.relu counts as nn.ReLU does.
        run: one forward pass, as ``lambda: loss(model, batch)``; run once.
        backward: also measure ‖δ‖ of each layer; ``run`` must then return a scalar.
        seed: of the random numbers that the pass draws.

    The model, its buffers and gradients, and all generators are left as they were (:class:`~..jacobian.still.Still`).

    Raises NoProduct for TorchScript, ValueError where ``backward`` has no scalar with a gradient, and whatever
    ``run`` raises.
    """
    still = Still(model, seed=seed)
    names, leaves = trainable(model) if backward else ([], [])
    for leaf in leaves:
        leaf.requires_grad_()

    def watched() -> Watch:
        watch = Watch(model, gradients=backward)
        with torch.set_grad_enabled(backward):
            with watch.watching():
                value = run()
            if backward:
                _differentiate(value, leaves)
        return watch

    watch = still.run(watched, dict(zip(names, leaves, strict=True)))
    found, lone = chains(watch.values)
    stacks = [stack(chain, watch.values) for chain in found]
    for recurrence in watch.cells.found:
        stacks += recurrent_stacks(recurrence)
    seen = {layer.where for one in stacks for layer in one.layers}
    rest = [one for one in lone if one.where not in seen]
    return Phases(
        tuple(stacks), shortcuts(watch.values), (*rest, *_others(model, watch, seen | {one.where for one in rest}))
    )


def _differentiate(value: Any, leaves: Sequence[Tensor]) -> None:
    if not isinstance(value, Tensor) or value.numel() != 1 or not value.requires_grad:
        raise ValueError("the gradient is measured from a scalar tensor that depends on a trainable parameter")
    torch.autograd.grad(value.reshape(()), leaves, allow_unused=True)


def _others(model: nn.Module, watch: Watch, seen: set[str]) -> list[Unrecognized]:
    """Modules with parameters of their own that are in no stack and not ``seen`` yet."""
    known = seen | {one.where for one in watch.cells.found}
    known |= {value.path for value in watch.values if isinstance(value.part, Normalization | Scale)}
    inside: list[str] = []  # of modules that use their parts' weights without calling them
    found = []
    for name, module in model.named_modules():
        if any(name.startswith(f"{outer}.") for outer in inside):
            continue
        named = next((text for kind, text in _NAMED if isinstance(module, kind)), None)
        if isinstance(module, nn.MultiheadAttention) or hasattr(module, "parametrizations"):
            inside.append(name)
        if (name or ROOT) in known or named == "" or not any(True for _ in module.parameters(recurse=False)):
            continue
        if name not in watch.called:
            found.append(Unrecognized(name, "was not called in this pass"))
        else:
            kind = type(module).__name__
            found.append(Unrecognized(name or ROOT, named or f"{kind}: not a layer of this theory"))
    return found
