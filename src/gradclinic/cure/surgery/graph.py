"""A model's forward as a graph that can be edited, functional calls too, and put back in its place.

``torch.fx`` traces it twice, as in training and as in evaluation, so that what a forward asks of ``self.training``
survives; the module keeps its identity, its parameters and their names.
"""

from __future__ import annotations

import copy
import types
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from torch import fx, nn

from .journal import Journal


@dataclass(frozen=True, slots=True)
class Part:
    """One graph of one traceable module, while it is edited."""

    owner: nn.Module
    graph: fx.Graph
    _journal: Journal
    _added: dict[str, str]  #: shared by the graphs of one module

    def beside(self, node: fx.Node, name: str, make: Callable[[], nn.Module]) -> str:
        """Target of ``make()``, which becomes a submodule of the layer that ``node`` calls; both graphs use the same.

        Not of the owner, which may be a container that calls whatever is in it.
        """
        layer = str(node.target)
        key = f"{layer}.{name}"
        if key not in self._added:
            self._added[key] = f"{layer}.{self._journal.add(self.owner.get_submodule(layer), name, make())}"
        return self._added[key]


class Untraceable(ValueError):
    """No part of the model has a forward that can be traced; says why."""


def edit_graphs(journal: Journal, edit: Callable[[Part], bool]) -> int:
    """Lets ``edit`` change each traceable part of the model; gives the number of modules that it changed.

    ``edit`` is called for the graph in training and for that in evaluation, and says whether it changed anything.

    Raises:
        Untraceable: nothing can be traced.
    """
    changed = 0
    for owner, graphs in parts(journal.model):
        added: dict[str, str] = {}
        done = [edit(Part(owner, graph, journal, added)) for graph in graphs.values()]
        if any(done):
            journal.set(owner, "forward", _forward(owner, graphs))
            changed += 1
    return changed


def parts(model: nn.Module) -> list[tuple[nn.Module, dict[bool, fx.Graph]]]:
    """The largest traceable modules, with their graphs in training (True) and in evaluation (False).

    Raises:
        Untraceable: there is none.
    """
    why: list[str] = []
    found = list(_parts(model, why))
    if not found:
        raise Untraceable(f"the model's forward cannot be traced: {why[0] if why else 'it has no modules'}")
    return found


def _parts(module: nn.Module, why: list[str]) -> Iterator[tuple[nn.Module, dict[bool, fx.Graph]]]:
    try:
        yield module, _traced(module)
        return
    except Exception as error:  # whatever a forward does with what is no tensor
        why.append(" ".join(f"{type(error).__name__}: {error}".split())[:200])
    for child in module.children():
        if not _is_leaf(child) and not isinstance(child, (nn.ModuleList, nn.ModuleDict)):
            yield from _parts(child, why)
        elif isinstance(child, (nn.ModuleList, nn.ModuleDict)):
            for grandchild in child.children():
                if not _is_leaf(grandchild):
                    yield from _parts(grandchild, why)


def _traced(module: nn.Module) -> dict[bool, fx.Graph]:
    if _is_leaf(module):
        raise TypeError(f"{type(module).__name__} is torch's own")
    own = vars(module).get("forward")
    if own is not None:  # fx looks at the class only
        edited: dict[bool, fx.Graph] | None = getattr(getattr(own, "__func__", None), "graphs", None)
        if edited is None:
            raise TypeError(f"{type(module).__name__} has a forward of its own as an attribute")
        return {mode: copy.deepcopy(graph) for mode, graph in edited.items()}
    found = {}
    modes = {each: each.training for each in module.modules()}
    try:
        for mode in (True, False):
            module.train(mode)
            found[mode] = fx.Tracer().trace(module)
    finally:
        for each, training in modes.items():
            each.training = training
    return found


def _is_leaf(module: nn.Module) -> bool:
    """What fx does not look into: torch's own modules, containers excepted."""
    return fx.Tracer().is_leaf_module(module, "")


def _forward(owner: nn.Module, graphs: dict[bool, fx.Graph]) -> Callable[..., Any]:
    """The graphs as a bound method of ``owner``, which a deep copy carries along."""
    codes, edited = {}, {}
    for mode, graph in graphs.items():
        module = fx.GraphModule(owner, graph)
        module.graph.eliminate_dead_code()
        module.graph.lint()
        module.recompile()
        codes[mode], edited[mode] = type(module).forward, module.graph
    training, evaluation = codes[True], codes[False]

    def forward(self: nn.Module, *args: Any, **kwargs: Any) -> Any:
        return (training if self.training else evaluation)(self, *args, **kwargs)

    forward.graphs = edited  # type: ignore[attr-defined]  # the next edit begins with them
    return types.MethodType(forward, owner)
