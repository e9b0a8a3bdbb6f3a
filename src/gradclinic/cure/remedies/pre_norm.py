"""Normalisation moved from after each sum into the branches."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable

from torch import Tensor, nn

from ..patient import Patient
from ..remedy import CannotApply, Options, Remedy
from ..surgery import Journal, Untraceable, edit_graphs, parts
from ..surgery.post_norm import move_norms, post_norms

LAYERS = (nn.TransformerEncoderLayer, nn.TransformerDecoderLayer)
STACKS = (nn.TransformerEncoder, nn.TransformerDecoder)


class PreNorm(Remedy):
    """``norm_first`` for torch's transformer layers; the user's own blocks in the traced graph."""

    id = "pre_norm"
    family = "normalization"
    title = "normalisation before the branches"
    size = 3
    effect = "the gradient reaches every block by the sums alone, which no normalisation divides; no warm-up is needed"
    source = "Xiong et al. 2020, arXiv:2002.04745; Wang et al. 2019, arXiv:1906.01787"

    def propose(self, patient: Patient) -> Iterable[Options]:
        if _torchs(patient.model) or any(post_norms(graph, owner) for owner, graph in patient.graphs):
            yield {}

    def apply(self, journal: Journal, options: Options) -> None:
        # All of it before the first change: what stands after a norm is known by its layers.
        layers, stacks, alone = _torchs(journal.model), _stacks(journal.model), _last_alone(journal.model)
        for layer in layers:
            journal.set(layer, "norm_first", True)
        for stack in stacks:
            if getattr(stack, "norm", None) is None:
                journal.set(stack, "norm", journal.placed(_like(_first(stack).norm1), stack))
            if getattr(stack, "use_nested_tensor", False):
                journal.set(stack, "use_nested_tensor", False)  # torch has no fast path for norm_first
        for layer in alone:
            name = journal.add(layer, "final_norm", _like(layer.norm1))
            journal.hook(layer.register_forward_hook(_through(name)))
        if not self._own_blocks(journal) and not layers:
            raise CannotApply("nothing in the model normalises a sum of a shortcut and its branch")

    @staticmethod
    def _own_blocks(journal: Journal) -> int:
        try:
            # Where blocks can only be traced one by one, the last of each kind ends their chain.
            last = {type(owner): owner for owner, _ in parts(journal.model)}
            return edit_graphs(journal, lambda part: move_norms(part, final=last[type(part.owner)] is part.owner))
        except Untraceable:
            return 0  # torch's layers need no graph; apply says it where there are none

    def code(self, options: Options) -> str:
        return (
            "# in the model: norm_first=True for each nn.TransformerEncoderLayer, and norm=nn.LayerNorm(d) for their "
            "stack;\n# in blocks of its own: x = x + f(norm(x)) in place of x = norm(x + f(x)), and a norm at the end"
        )


def _torchs(model: nn.Module) -> list[nn.Module]:
    return [m for m in model.modules() if isinstance(m, LAYERS) and not m.norm_first]


def _stacks(model: nn.Module) -> list[nn.Module]:
    found = [m for m in model.modules() if isinstance(m, STACKS) and len(m.layers)]
    return [stack for stack in found if isinstance(_first(stack), LAYERS) and not _first(stack).norm_first]


def _first(stack: nn.Module) -> nn.Module:
    layer: nn.Module = stack.layers[0]  # type: ignore[index, assignment]
    return layer


def _last_alone(model: nn.Module) -> list[nn.Module]:
    """Of layers that stand side by side in no stack of torch's, the last."""
    inside = {layer for stack in model.modules() if isinstance(stack, STACKS) for layer in stack.layers}
    found: dict[tuple[nn.Module, type], nn.Module] = {}
    for parent in model.modules():
        for child in parent.children():
            if isinstance(child, LAYERS) and not child.norm_first and child not in inside:
                found[parent, type(child)] = child
    return [*found.values()] or _torchs(model)[:1] * isinstance(model, LAYERS)


def _like(norm: Tensor | nn.Module) -> nn.Module:
    """A fresh one of the same kind and shape."""
    new: nn.Module = copy.deepcopy(norm)  # type: ignore[assignment]
    new.reset_parameters()  # type: ignore[operator]
    return new


def _through(name: str) -> Callable[[nn.Module, object, Tensor], Tensor]:
    def hook(layer: nn.Module, args: object, output: Tensor) -> Tensor:
        normed: Tensor = getattr(layer, name)(output)
        return normed

    return hook
