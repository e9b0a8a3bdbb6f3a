"""Remembers the first few calls of hand-written functions in a live run, and checks them afterwards."""

from __future__ import annotations

import inspect
import sys
import threading
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch._functorch import utils as _functorch_utils

from .check import GradCheck, check_function

#: ``Function.apply`` hands its arguments to this helper, and to nothing else that Python can see, on its way
#: into C++.  Wrapping the helper rather than ``apply`` also sees the usual ``relu = MyReLU.apply`` that was bound
#: before, and leaves the identity of ``apply``, which torch.compile looks at, alone.
_SEAM = "unwrap_dead_wrappers"

_TORCH = str(Path(torch.__file__).parent)

_SIMPLE = (int, float, bool, str, bytes, type(None), torch.dtype, torch.device, torch.layout, complex)


@dataclass(frozen=True, slots=True)
class _Recorded:
    function: type[torch.autograd.Function]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]


class FunctionWatch:
    """Records calls of user-written ``torch.autograd.Function``s between ``attach`` and ``detach``.

    Only detached copies are kept, of at most ``elements`` elements in a call, ``calls`` calls of a class and
    ``classes`` classes.  Not recorded: functions of torch and of installed packages, calls inside torch.compile or
    a functorch transform, calls with arguments other than tensors and plain values (a module among them could be
    changed by running it again), and everything once torch.distributed is initialised (a forward may then
    communicate).  Attaching twice is attaching once; nothing here raises.
    """

    def __init__(self, *, calls: int = 3, classes: int = 16, elements: int = 1_000_000, seconds: float = 3.0) -> None:
        self._calls, self._classes, self._elements, self._seconds = calls, classes, elements, seconds
        self._records: dict[type[torch.autograd.Function], list[_Recorded]] = {}
        self._original: Callable[..., Any] | None = None
        self._wrapper: Callable[..., Any] | None = None
        self._busy = threading.local()

    @property
    def attached(self) -> bool:
        return self._original is not None

    def attach(self) -> None:
        """Starts recording."""
        original = getattr(_functorch_utils, _SEAM, None)
        if self._original is not None or original is None:
            return

        def unwrap_dead_wrappers(args: Any) -> Any:
            try:
                self._see(sys._getframe(1))
            except Exception:  # a failure in here must never reach the user's forward
                pass
            return original(args)

        self._original, self._wrapper = original, unwrap_dead_wrappers
        setattr(_functorch_utils, _SEAM, unwrap_dead_wrappers)

    def detach(self) -> None:
        """Stops recording and puts back what was there.  What was recorded stays until ``check``."""
        # Someone else may have wrapped the same place since; then ours stays beneath, silent.
        if getattr(_functorch_utils, _SEAM, None) is self._wrapper and self._original is not None:
            setattr(_functorch_utils, _SEAM, self._original)
        self._original = self._wrapper = None

    def check(self) -> list[dict[str, Any]]:
        """Checks what was recorded and forgets it: the data of one ``wrong_backward`` event per wrong function.

        Keys: function, file, line (of its backward), relative_error, analytic, numeric, input (the worst one's
        name), inputs (names of all wrong ones), fit, scale, deliberate, meaning, calls (how many were judged), dtype.
        """
        records, self._records = self._records, {}
        deadline = time.perf_counter() + self._seconds
        events: list[dict[str, Any]] = []
        self._busy.checking = True
        try:
            with _Quiet(), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                for function, recorded in records.items():
                    event = _judge(function, recorded, deadline)
                    if event is not None:
                        events.append(event)
        except Exception:  # watching never stops a run
            pass
        finally:
            self._busy.checking = False
        return events

    def _see(self, frame: Any) -> None:
        if self._original is None or getattr(self._busy, "checking", False):
            return
        if frame.f_code is not torch.autograd.Function.apply.__func__.__code__:  # type: ignore[attr-defined]
            return
        values = frame.f_locals
        function = values["cls"]
        recorded = self._records.get(function)
        if recorded is not None and len(recorded) >= self._calls:
            return
        if recorded is None and (len(self._records) >= self._classes or not _user_written(function)):
            return
        if torch.compiler.is_compiling() or (torch.distributed.is_available() and torch.distributed.is_initialized()):
            return
        args, kwargs = tuple(values["args"]), dict(values["kwargs"])
        everything = [*args, *kwargs.values()]
        if not all(_plain(value) for value in everything):
            return
        tensors = [value for value in everything if isinstance(value, Tensor)]
        if sum(tensor.numel() for tensor in tensors) > self._elements:
            return
        if not any(tensor.requires_grad for tensor in tensors) or not torch.is_grad_enabled():
            return  # nothing asks for this backward
        kept = _Recorded(function, tuple(map(_keep, args)), {name: _keep(value) for name, value in kwargs.items()})
        self._records.setdefault(function, []).append(kept)


def _judge(
    function: type[torch.autograd.Function], recorded: list[_Recorded], deadline: float
) -> dict[str, Any] | None:
    checks: list[GradCheck] = []
    for record in recorded:
        left = deadline - time.perf_counter()
        if left <= 0:
            break
        checks.append(check_function(function, record.args, record.kwargs, seconds=left))
    judged = [check for check in checks if check.abstained is None]
    wrong = [check for check in judged if check.wrong]
    if not wrong or 2 * len(wrong) <= len(judged):
        return None
    worst = max(wrong, key=lambda check: check.relative_error)
    item = worst.wrong[0]
    file, line = _place(function)
    return {
        "function": function.__qualname__,
        "file": file,
        "line": line,
        "relative_error": item.relative_error,
        "analytic": item.analytic,
        "numeric": item.numeric,
        "input": item.name,
        "inputs": [other.name for other in worst.wrong],
        "fit": item.fit.kind if item.fit else "none",
        "scale": item.fit.scale if item.fit else None,
        "deliberate": all(other.fit is not None and other.fit.deliberate for other in worst.wrong),
        "meaning": item.fit.meaning if item.fit else "",
        "calls": len(judged),
        "dtype": worst.dtype,
    }


def _user_written(function: type) -> bool:
    file, _ = _place(function)
    return bool(file) and not any(folder in file for folder in (_TORCH, "site-packages", "dist-packages"))


def _place(function: type) -> tuple[str, int]:
    """File and line of the backward; of the forward where the backward cannot be found."""
    for name in ("backward", "vjp", "forward"):
        method = getattr(function, name, None)
        code = getattr(inspect.unwrap(method), "__code__", None) if method is not None else None
        if code is not None and _TORCH not in code.co_filename:
            return code.co_filename, code.co_firstlineno
    return "", 0


def _plain(value: Any) -> bool:
    if isinstance(value, (tuple, list)):
        return all(_plain(item) and not isinstance(item, Tensor) for item in value)
    # A subclass (DTensor, a quantised tensor) may do anything when it is copied or computed with.
    return type(value) in (Tensor, torch.nn.Parameter) or isinstance(value, _SIMPLE)


def _keep(value: Any) -> Any:
    if isinstance(value, Tensor):
        return value.detach().clone().requires_grad_(value.requires_grad)
    return list(value) if isinstance(value, list) else value


class _Quiet:
    """Drops what this thread prints: a forward that prints would otherwise print again and again."""

    def __enter__(self) -> None:
        self._stream, self._thread = sys.stdout, threading.get_ident()
        sys.stdout = self

    def __exit__(self, *_: object) -> None:
        if sys.stdout is self:
            sys.stdout = self._stream

    def write(self, text: str) -> int:
        return len(text) if threading.get_ident() == self._thread else self._stream.write(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
