"""gradclinic finds out why a deep network does not train, and proves what cures it.

The public names are loaded when they are first used: the command line, and the half of gradclinic that is
injected into a training script, must start without waiting for any of them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .errors import UserError

if TYPE_CHECKING:
    from .schema.finding import Finding
    from .task import Task
    from .treat.guard import Guard
    from .workflows.answer import Answer
    from .workflows.checkup import checkup
    from .workflows.diagnose import diagnose_run
    from .workflows.watch import Watch, watch

__all__ = ["Answer", "Finding", "Guard", "Task", "UserError", "Watch", "checkup", "diagnose_run", "watch"]

_HOMES = {
    "Answer": "workflows.answer",
    "Finding": "schema.finding",
    "Guard": "treat.guard.settings",
    "Task": "task",
    "Watch": "workflows.watch",
    "checkup": "workflows.checkup",
    "diagnose_run": "workflows.diagnose",
    "watch": "workflows.watch",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'gradclinic' has no attribute {name!r}")
    return getattr(import_module(f".{_HOMES[name]}", __name__), name)


def __dir__() -> list[str]:
    return __all__
