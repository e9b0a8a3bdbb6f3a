"""gradclinic finds out why a deep network does not train, and proves what cures it.

The public names are loaded when they are first used: the command line, and the half of gradclinic that is
injected into a training script, must start without waiting for any of them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .errors import UserError

if TYPE_CHECKING:
    from .cure import Recipe
    from .cure.guard import Guard
    from .cure.transfer import Transfer, transfer
    from .schema.finding import Finding
    from .task import Task
    from .workflows.answer import Answer
    from .workflows.checkup import checkup
    from .workflows.compare import Comparison, compare
    from .workflows.convergence import Convergence
    from .workflows.diagnose import diagnose_run
    from .workflows.treat import Treatment, treat
    from .workflows.tune import Searched, Tuning, search, tune
    from .workflows.watch import Watch, watch

__all__ = [
    "Answer", "Comparison", "Convergence", "Finding", "Guard", "Recipe", "Searched", "Task", "Transfer", "Treatment",
    "Tuning", "UserError", "Watch", "checkup", "compare", "diagnose_run", "search", "transfer", "treat", "tune",
    "watch",
]  # fmt: skip

_HOMES = {
    "Answer": "workflows.answer",
    "Comparison": "workflows.compare",
    "Convergence": "workflows.convergence",
    "Finding": "schema.finding",
    "Guard": "cure.guard.settings",
    "Recipe": "cure",
    "Searched": "workflows.tune",
    "Task": "task",
    "Transfer": "cure.transfer",
    "Treatment": "workflows.treat",
    "Tuning": "workflows.tune",
    "Watch": "workflows.watch",
    "checkup": "workflows.checkup",
    "compare": "workflows.compare",
    "diagnose_run": "workflows.diagnose",
    "search": "workflows.tune",
    "transfer": "cure.transfer",
    "treat": "workflows.treat",
    "tune": "workflows.tune",
    "watch": "workflows.watch",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'gradclinic' has no attribute {name!r}")
    return getattr(import_module(f".{_HOMES[name]}", __name__), name)


def __dir__() -> list[str]:
    return __all__
