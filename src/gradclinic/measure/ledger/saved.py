"""Reads the tensors that autograd saved, without ever making it recompute or reload one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.autograd import _get_sequence_nr as sequence_number  # type: ignore[attr-defined]
from torch.autograd.graph import saved_tensors_hooks

Readable = bool | Callable[[int], bool]


_names: dict[type, frozenset[str]] = {}


def _attributes(kind: type) -> frozenset[str]:
    """What nodes of this type save; each operation has its own type, so it is looked up once."""
    if kind not in _names:
        _names[kind] = frozenset(name[7:] for name in dir(kind) if name.startswith("_saved_"))
    return _names[kind]


class SavedReader:
    """Reads saved values of graph nodes.  ``readable`` is a flag or a function of the sequence number.

    Unpacking a tensor that went through ``saved_tensors_hooks`` would run the user's hook: activation
    checkpointing would compute its region again, offloading would load from the host.  Such a tensor
    is skipped and ``skipped`` set.  Newer versions of torch show the hook on the saved tensor; older
    ones need ``readable``, for which :class:`SavedTensorsWatch` is made.
    """

    def __init__(self, readable: Readable = True) -> None:
        self._readable = readable
        self.skipped = False

    def has(self, node: Any, name: str) -> bool:
        return name in _attributes(type(node))

    def raw(self, node: Any, name: str) -> Any:
        """The saved value, detached when it is a tensor; None when there is none or it must not be read."""
        if name not in _attributes(type(node)):
            return None
        try:
            allowed = self._readable if isinstance(self._readable, bool) else self._readable(node._sequence_nr())
            packed = getattr(node, "_raw_saved_" + name, None)
            if packed is not None and not isinstance(packed, (tuple, list)):
                if not allowed or getattr(packed, "unpack_hook", None) is not None:
                    self.skipped = True
                    return None
            value = getattr(node, "_saved_" + name)
        except Exception:  # freed, modified in place, or a value that has no Python form
            return None
        return value.detach() if isinstance(value, Tensor) else value

    def tensor(self, node: Any, name: str) -> Tensor | None:
        value = self.raw(node, name)
        return value if isinstance(value, Tensor) else None


class SavedTensorsWatch:
    """Knows the sequence numbers of operations that ran under ``saved_tensors_hooks``.

    ``install()`` wraps the context manager's entry and exit for the whole process (twice is once) and
    ``remove()`` restores them.  ``readable(sequence)`` is what :class:`SavedReader` wants.
    """

    _KEEP = 4096  # intervals remembered: more than one step of any network uses

    def __init__(self) -> None:
        self._intervals: list[tuple[int, int]] = []
        self._open: list[int] = []
        self._original: tuple[Any, Any] | None = None
        self.seen = False  #: whether any such context was ever entered

    def install(self) -> None:
        if self._original is not None:
            return
        enter, leave = saved_tensors_hooks.__enter__, saved_tensors_hooks.__exit__
        self._original = (enter, leave)
        watch = self

        def __enter__(context: Any) -> Any:  # noqa: N807
            if not torch.compiler.is_compiling():
                watch.seen = True
                watch._open.append(sequence_number())
            return enter(context)

        def __exit__(context: Any, *error: object) -> Any:  # noqa: N807
            if watch._open and not torch.compiler.is_compiling():
                watch._intervals.append((watch._open.pop(), sequence_number()))
                del watch._intervals[: -watch._KEEP]
            return leave(context, *error)

        saved_tensors_hooks.__enter__ = __enter__  # type: ignore[method-assign]
        saved_tensors_hooks.__exit__ = __exit__  # type: ignore[method-assign]

    def remove(self) -> None:
        if self._original is not None:
            saved_tensors_hooks.__enter__, saved_tensors_hooks.__exit__ = self._original  # type: ignore[method-assign]
            self._original = None

    def readable(self, sequence: int) -> bool:
        """False for an operation that ran inside such a context (or inside one still open)."""
        if self._open and sequence >= self._open[0]:
            return False
        return not any(start <= sequence < end for start, end in self._intervals)
