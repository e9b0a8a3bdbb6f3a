"""More bits for the model, or for the parts of it where half precision fails."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves, tree_map

from ..patient import Patient
from ..remedy import CannotApply, Options, Remedy
from ..surgery import Journal
from ..surgery.wide_step import LOW

#: What findings that ask for it are called.
CAUSES = ("precision_overflow", "precision_underflow", "precision_rounding")


class RaisePrecision(Remedy):
    """float32 parameters, float32 inputs, and no autocast within; a part gives back what it was given."""

    id = "raise_precision"
    family = "precision"
    title = "float32"
    size = 2
    effect = "nothing overflows at 65504, underflows at 6e-8, or is lost to 8 or 11 bits"
    source = "Micikevicius et al. 2018, arXiv:1710.03740; torch.autocast: ops that autocast to float32"

    def propose(self, patient: Patient) -> Iterable[Options]:
        call = patient.calls.get("")
        if not _low(patient.model) and (call is None or call.autocast is None):
            return
        named = {name for name, _ in patient.model.named_modules() if name}
        where = [p for finding in patient.findings if finding.cause in CAUSES for p in finding.where if p in named]
        if where:
            yield {"modules": list(dict.fromkeys(where))}
        yield {}

    def apply(self, journal: Journal, options: Options) -> None:
        names = list(options.get("modules", [""]))
        known = dict(journal.model.named_modules())
        missing = [name for name in names if name not in known]
        if missing:
            raise CannotApply(f"the model has no module {missing[0]!r}")
        for name in names:
            _raise(journal, known[name], whole=not name)

    def says(self, options: Options) -> str:
        names = list(options.get("modules", []))
        return f"float32 in {', '.join(names[:3])}{' …' * (len(names) > 3)}" if names else "float32"

    def code(self, options: Options) -> str:
        names = list(options.get("modules", []))
        if not names:
            return "model.float()  # and no torch.autocast, no .half() of its inputs"
        return "\n".join(
            f"model.get_submodule({name!r}).float()  # called with x.float(), under torch.autocast(..., enabled=False)"
            for name in names
        )


def _low(module: nn.Module) -> list[Tensor]:
    return [t for t in (*module.parameters(), *module.buffers()) if t.dtype in LOW]


def _raise(journal: Journal, module: nn.Module, *, whole: bool) -> None:
    for tensor in _low(module):
        journal.cast(tensor, torch.float32)
        _cast_state(journal, tensor)
    calls: list[tuple[Any, torch.dtype | None]] = []  # of calls under way: what surrounds them, and what they return

    def before(own: nn.Module, args: Any, kwargs: Any) -> Any:
        found = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, Tensor)]
        given = next((leaf.dtype for leaf in found if leaf.dtype in LOW), None)
        device = next((leaf.device.type for leaf in found), "cpu")
        surroundings = torch.autocast(device, enabled=False)
        surroundings.__enter__()  # type: ignore[no-untyped-call]
        calls.append((surroundings, given))
        return tree_map(_float, args), tree_map(_float, kwargs)

    def after(own: nn.Module, args: Any, output: Any) -> Any:
        if not calls:  # another hook raised before ours was called
            return output
        surroundings, given = calls.pop()
        surroundings.__exit__(None, None, None)
        # What the whole model returns stays wide: the loss is part of the training too.
        return output if whole or given is None or output is None else tree_map(_to(given), output)

    journal.hook(module.register_forward_pre_hook(before, with_kwargs=True))
    journal.hook(module.register_forward_hook(after, always_call=True))
    for layer in module.modules():
        # Inside, the user's own code may go on casting to half.
        if layer is not module and any(True for _ in layer.parameters(recurse=False)):
            journal.hook(layer.register_forward_pre_hook(_inputs_float, with_kwargs=True))


def _cast_state(journal: Journal, parameter: Tensor) -> None:
    """What the optimizer keeps of a parameter has its format."""
    state = journal.optimizer.state.get(parameter, {}) if journal.optimizer is not None else {}
    for value in state.values():
        if isinstance(value, Tensor) and value.dtype in LOW:
            journal.cast(value, torch.float32)


def _inputs_float(layer: nn.Module, args: Any, kwargs: Any) -> Any:
    return tree_map(_float, args), tree_map(_float, kwargs)


def _float(leaf: Any) -> Any:
    return leaf.float() if isinstance(leaf, Tensor) and leaf.dtype in LOW else leaf


def _to(dtype: torch.dtype) -> Callable[[Any], Any]:
    return lambda leaf: leaf.to(dtype) if isinstance(leaf, Tensor) and leaf.dtype == torch.float32 else leaf
