"""A model's forward as a graph that can be edited, functional calls too, and put back in its place.

``torch.fx`` traces it twice, as in training and as in evaluation, so that what a forward asks of ``self.training``
survives; the module keeps its identity, its parameters and their names.
"""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from torch import fx, nn

from .journal import Journal
from .tracing import Mode, is_leaf, optional, traced


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

    ``edit`` is called for each of its graphs, and says whether it changed anything.

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


def parts(model: nn.Module) -> list[tuple[nn.Module, dict[Mode, fx.Graph]]]:
    """The largest traceable modules, each once, with their graphs (see :func:`.traced`).

    Raises:
        Untraceable: there is none.
    """
    why: list[str] = []
    found = list(_parts(model, why, set()))
    if not found:
        raise Untraceable(f"the model's forward cannot be traced: {why[0] if why else 'it has no modules'}")
    return found


def _parts(module: nn.Module, why: list[str], seen: set[nn.Module]) -> Iterator[tuple[nn.Module, dict[Mode, fx.Graph]]]:
    if module in seen:
        return
    seen.add(module)
    try:
        yield module, traced(module)
        return
    except Exception as error:  # whatever a forward does with what is no tensor
        why.append(" ".join(f"{type(error).__name__}: {error}".split())[:200])
    for child in module.children():
        inside = child.children() if isinstance(child, (nn.ModuleList, nn.ModuleDict)) else [child]
        for each in inside:
            # Torch's own are left as they are, but for those that only hold the user's (nn.DataParallel).
            if not is_leaf(each) or any(not is_leaf(below) for below in each.modules()):
                yield from _parts(each, why, seen)


def _forward(owner: nn.Module, graphs: dict[Mode, fx.Graph]) -> Callable[..., Any]:
    """The graphs as a bound method of ``owner``, which a deep copy carries along."""
    codes, edited = {}, {}
    for mode, graph in graphs.items():
        module = fx.GraphModule(owner, graph)
        # What has no users stays: it may write to its input, as F.relu_(x) does.
        module.graph.lint()
        module.recompile()
        codes[mode], edited[mode] = type(module).forward, module.graph
    defaults = optional(owner) if any(bare for _, bare in graphs) else {}
    signature = inspect.signature(type(owner).forward)

    def forward(self: nn.Module, *args: Any, **kwargs: Any) -> Any:
        if not defaults:
            return codes[self.training, False](self, *args, **kwargs)
        given = signature.bind(self, *args, **kwargs).arguments
        needed = {name: value for name, value in given.items() if name not in defaults}
        if all(name in needed or _same(value, defaults[name]) for name, value in given.items()):
            return codes[self.training, True](**needed)
        if (self.training, False) not in codes:
            others = ", ".join(name for name in given if name not in needed)
            raise TypeError(f"the treated forward of {type(self).__name__} cannot be traced with {others}")
        return codes[self.training, False](**given)

    forward.graphs = edited  # type: ignore[attr-defined]  # the next edit begins with them
    return types.MethodType(forward, owner)


def _same(value: Any, default: Any) -> bool:
    return type(value) is type(default) and value == default
