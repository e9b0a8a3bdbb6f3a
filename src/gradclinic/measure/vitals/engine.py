"""Gets the compiled kernel without stalling anybody: a thread of its own compiles it, or loads it from disk."""

from __future__ import annotations

import importlib
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

Kernel = Callable[..., None]


@dataclass(slots=True)
class _State:
    kernel: Kernel | None = None
    failure: str | None = None
    thread: threading.Thread | None = None


_state = _State()
_starting = threading.Lock()


def prepare(*, wait: bool = False) -> None:
    """Starts to compile or load the kernel, once; until it is there, :func:`measure` works by the torch reference.

    The very first time on a machine this takes some seconds of one core, later a fraction of a second.  Where numba
    is missing or fails, the reference stays in use and :func:`path_in_use` says so; nothing is raised.

    Args:
        wait: return only when the kernel is there, or has failed.
    """
    with _starting:
        if _state.thread is None:
            _state.thread = threading.Thread(target=_load, name="gradclinic-kernel", daemon=True)
            try:
                _state.thread.start()
            except RuntimeError as error:  # no more threads, or the interpreter is shutting down
                _state.failure = str(error)
                return
        thread = _state.thread
    if wait and thread.ident is not None:
        thread.join()


def ready() -> bool:
    """Whether the kernel is there."""
    return _state.kernel is not None


def kernel() -> Kernel | None:
    """The kernel (see :func:`.kernel.measure`), or ``None`` while there is none."""
    return _state.kernel


def path_in_use() -> Literal["kernel", "reference"]:
    """What measures CPU tensors at this moment."""
    return "reference" if _state.kernel is None else "kernel"


def failure() -> str | None:
    """Why there will be no kernel; ``None`` while it may still come."""
    return _state.failure


def _load() -> None:
    try:
        module: Any = importlib.import_module(".kernel", __package__)
        _state.kernel = module.measure
    except BaseException as error:  # whatever numba or LLVM may raise, the training goes on without it
        _state.failure = f"{type(error).__name__}: {error}"


def _after_fork() -> None:
    # The loading thread does not exist in the child, and may have held numba's locks: do not try again there.
    global _starting
    _starting = threading.Lock()
    if _state.kernel is None and _state.thread is not None:
        _state.failure = "the process was forked while the kernel was being loaded"


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
