"""Who is who: finds the modules and parameters of a script that tells us nothing, and names them."""

from __future__ import annotations

import gc
import sys
import weakref
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from torch import Tensor, nn

from gradclinic.schema.record import OptimizerInfo, ParameterInfo

#: Wrappers that put a level of their own into every name: DistributedDataParallel, torch.compile, checkpointing.
WRAPPERS = ("module.", "_orig_mod.", "_checkpoint_wrapped_module.")

#: Name and number of the "optimizer" of a script that updates its weights itself.
BY_HAND = "by hand"
BY_HAND_INDEX = -1


class Roster:
    """The parameters, modules and optimizers known so far.  Holds none of them alive."""

    def __init__(self) -> None:
        self._parameters: list[weakref.ref[Tensor]] = []
        self._index: dict[int, int] = {}  # id of a live tensor -> its row
        self._infos: list[ParameterInfo] = []
        self.owners: list[int | None] = []  #: the optimizer that steps each row
        self._module_paths: weakref.WeakKeyDictionary[nn.Module, str] = weakref.WeakKeyDictionary()
        self._owners: dict[int, tuple[str, str, tuple[str, ...]]] = {}  # id -> module path, type, all names
        self._optimizers: dict[int, tuple[weakref.ref[Any], int, int]] = {}  # id -> object, index, size
        self._known_roots: weakref.WeakSet[nn.Module] = weakref.WeakSet()
        self._optimizer_count = 0

    def __len__(self) -> int:
        return len(self._parameters)

    def tensors(self) -> list[Tensor | None]:
        """Every parameter by row; ``None`` where it no longer exists."""
        return [reference() for reference in self._parameters]

    def models(self) -> list[nn.Module]:
        """The models known so far that are still alive."""
        return list(self._known_roots)

    def row_of(self, tensor: Tensor) -> int | None:
        row = self._index.get(id(tensor))
        return row if row is not None and self._parameters[row]() is tensor else None

    def owner_of(self, tensor: Tensor) -> int | None:
        """The number of the optimizer that steps it; None where nobody does."""
        row = self.row_of(tensor)
        return None if row is None else self.owners[row]

    def name_of(self, tensor: Tensor) -> str | None:
        row = self.row_of(tensor)
        if row is not None:
            return self._infos[row].name
        owner = self._owners.get(id(tensor))
        return owner[2][0] if owner else None

    def path_of(self, module: nn.Module) -> str | None:
        """Dotted path of a module; finds it among the live objects when it is new."""
        if module not in self._module_paths:
            self.discover()
            self._module_paths.setdefault(module, "")
        return self._module_paths[module]

    def discover(self, given: Iterable[nn.Module] = ()) -> None:
        """Names all modules that belong to ``given`` models, or to any model alive."""
        roots = list(given) or [root for root in _roots(_live_modules()) if any(True for _ in root.parameters())]
        for root in roots:
            self._known_roots.add(root)
        several = len(self._known_roots) > 1
        labels = _labels(roots) if several else {}
        for root in roots:
            self._name_modules(root, labels.get(id(root), ""))

    def _name_modules(self, root: nn.Module, label: str) -> None:
        for raw, module in root.named_modules():
            path = ".".join(part for part in (label, _strip(raw)) if part)
            self._module_paths.setdefault(module, path)
            for short, parameter in module._parameters.items():
                if parameter is None:
                    continue
                name = f"{path}.{short}" if path else short
                known = self._owners.get(id(parameter))
                names = (*known[2], name) if known and name not in known[2] else known[2] if known else (name,)
                first = known[:2] if known else (path, type(module).__name__)
                self._owners[id(parameter)] = (first[0], first[1], names)

    def optimizer_index(self, optimizer: Any) -> int | None:
        """The optimizer's number, or ``None`` when it is new or its parameter groups have changed."""
        known = self._optimizers.get(id(optimizer))
        if known is None or known[0]() is not optimizer or known[2] != _size(optimizer):
            return None
        return known[1]

    def enlist(self, optimizer: Any, weights_rms: Any = None) -> Iterator[OptimizerInfo | ParameterInfo]:
        """Takes in an optimizer: yields the rows for it and for every parameter not seen before.

        ``weights_rms(tensors)`` gives the root mean square of each tensor.
        """
        grouped = [
            (tensor, number) for number, group in enumerate(optimizer.param_groups) for tensor in group["params"]
        ]
        if any(id(tensor) not in self._owners for tensor, _ in grouped):
            self.discover()
        known = self._optimizers.get(id(optimizer))
        index = known[1] if known is not None and known[0]() is optimizer else self._optimizer_count
        if index == self._optimizer_count:
            self._optimizer_count += 1
        self._optimizers[id(optimizer)] = (weakref.ref(optimizer), index, _size(optimizer))
        yield OptimizerInfo(
            index, type(optimizer).__name__, tuple(_settings(group) for group in optimizer.param_groups)
        )
        yield from self._enlist(grouped, index, weights_rms)
        siblings = [(tensor, None) for tensor in self._siblings([tensor for tensor, _ in grouped])]
        yield from self._enlist(siblings, None, weights_rms)

    def enlist_leaves(self, leaves: list[Tensor], weights_rms: Any = None) -> Iterator[OptimizerInfo | ParameterInfo]:
        """Takes in tensors that the script updates itself, without an optimizer."""
        if any(id(tensor) not in self._owners for tensor in leaves):
            self.discover()
        yield OptimizerInfo(BY_HAND_INDEX, BY_HAND, ({},))
        yield from self._enlist([(tensor, 0) for tensor in leaves], BY_HAND_INDEX, weights_rms)

    def _enlist(
        self, grouped: Iterable[tuple[Tensor, int | None]], optimizer: int | None, weights_rms: Any
    ) -> Iterator[ParameterInfo]:
        distinct = {id(tensor): (tensor, group) for tensor, group in grouped}.values()
        fresh = [(tensor, group) for tensor, group in distinct if self.row_of(tensor) is None]
        unowned = [tensor for tensor, _ in fresh if id(tensor) not in self._owners]
        variables = _variable_names(unowned) if unowned else {}
        scales = weights_rms([tensor for tensor, _ in fresh]) if weights_rms and fresh else [None] * len(fresh)
        for (tensor, group), scale in zip(fresh, scales, strict=True):
            row = len(self._parameters)
            fallback = variables.get(id(tensor), f"parameter {row}")
            path, kind, names = self._owners.get(id(tensor), ("", "", (fallback,)))
            self._parameters.append(weakref.ref(tensor))
            self._index[id(tensor)] = row
            self.owners.append(optimizer)
            info = ParameterInfo(
                index=row, name=names[0], shape=tuple(tensor.shape), dtype=str(tensor.dtype).removeprefix("torch."),
                requires_grad=tensor.requires_grad, module=path, module_type=kind, optimizer=optimizer, group=group,
                aliases=names[1:], rms=None if scale is None else float(scale), fan_in=_fan_in(tensor, kind),
                device=tensor.device.type,
            )  # fmt: skip
            self._infos.append(info)
            yield info
        if optimizer is not None:
            yield from self._adopt(distinct, optimizer)

    def _adopt(self, grouped: Iterable[tuple[Tensor, int | None]], optimizer: int) -> Iterator[ParameterInfo]:
        """Parameters that nobody stepped until now: unfrozen, or added as a group later."""
        for tensor, group in grouped:
            row = self.row_of(tensor)
            if row is not None and self.owners[row] is None:
                self.owners[row] = optimizer
                self._infos[row] = replace(
                    self._infos[row], optimizer=optimizer, group=group, requires_grad=tensor.requires_grad
                )
                yield self._infos[row]

    def _siblings(self, tensors: list[Tensor]) -> list[Tensor]:
        """Parameters of the same models that this optimizer does not hold: frozen, or forgotten."""
        wanted = {id(tensor) for tensor in tensors}
        found: dict[int, Tensor] = {}
        for root in list(self._known_roots):
            members = list(root.parameters())
            if any(id(member) in wanted for member in members):
                found.update({id(member): member for member in members if id(member) not in wanted})
        return [tensor for tensor in found.values() if self.row_of(tensor) is None]


def _live_modules() -> list[nn.Module]:
    # type(), not isinstance: proxies may answer __class__ with arbitrary code.
    return [thing for thing in gc.get_objects() if issubclass(type(thing), nn.Module) and "_modules" in thing.__dict__]


def _roots(modules: list[nn.Module]) -> list[nn.Module]:
    children = {id(child) for module in modules for child in module._modules.values() if child is not None}
    roots = [module for module in modules if id(module) not in children]
    # A root whose parameters all belong to a larger root is a view of it (a slice of its layers).
    sizes = {id(root): {id(parameter) for parameter in root.parameters()} for root in roots}
    return [
        root
        for position, root in enumerate(roots)
        if not any(
            sizes[id(root)] < sizes[id(other)] or (sizes[id(root)] == sizes[id(other)] and number < position)
            for number, other in enumerate(roots)
            if other is not root
        )
    ]


def _labels(roots: list[nn.Module]) -> dict[int, str]:
    """A distinct label for each of several models: the script's variable name, else the class name."""
    variables = {id(value): name for name, value in _main_variables() if isinstance(value, nn.Module)}
    labels: dict[int, str] = {}
    taken: dict[str, int] = {}
    for root in roots:
        label = variables.get(id(root), type(root).__name__)
        taken[label] = taken.get(label, 0) + 1
        labels[id(root)] = label if taken[label] == 1 else f"{label}{taken[label]}"
    return labels


def _variable_names(tensors: list[Tensor]) -> dict[int, str]:
    wanted = {id(tensor) for tensor in tensors}
    names: dict[int, str] = {}
    for name, value in _main_variables():
        if id(value) in wanted:
            names.setdefault(id(value), name)
        elif type(value) in (list, tuple):
            names.update({id(item): f"{name}[{place}]" for place, item in enumerate(value) if id(item) in wanted})
        elif type(value) is dict:
            names.update({id(item): f"{name}[{key!r}]" for key, item in value.items() if id(item) in wanted})
    return names


def _main_variables() -> list[tuple[str, Any]]:
    main = sys.modules.get("__main__")
    return [(name, value) for name, value in list(vars(main).items()) if not name.startswith("__")] if main else []


def _strip(path: str) -> str:
    path = f"{path}."
    for wrapper in WRAPPERS:
        if path.startswith(wrapper):
            path = path[len(wrapper) :]
        path = path.replace(f".{wrapper}", ".") if wrapper != "module." else path
    return path.rstrip(".")


def _size(optimizer: Any) -> int:
    return sum(len(group["params"]) for group in optimizer.param_groups)


def _settings(group: dict[str, Any]) -> dict[str, Any]:
    plain: dict[str, Any] = {}
    for key, value in group.items():
        if isinstance(value, Tensor) and value.numel() == 1 and value.device.type == "cpu":
            value = float(value)
        if isinstance(value, (bool, int, float, str)) or (
            isinstance(value, tuple) and all(isinstance(item, (int, float)) for item in value)
        ):
            plain[key] = value
    return plain


def _fan_in(tensor: Tensor, module_type: str) -> int | None:
    if tensor.dim() < 2 or "Embedding" in module_type:
        return None
    if module_type == "":  # a plain tensor, which people multiply as x @ W
        return tensor.shape[0]
    return int(tensor.numel() // max(1, tensor.shape[0]))
