"""Where and how a run takes place, in words for the record.  No torch: the launching half uses it too."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gradclinic.schema.record import RunInfo


def version() -> str:
    """gradclinic's version; "unknown" where it runs from a folder without having been installed."""
    from importlib import metadata

    try:
        return metadata.version("gradclinic")
    except metadata.PackageNotFoundError:
        return "unknown"


def describe_run(arguments: Sequence[str], *, torch: str | None = None, steps: int | None = None) -> RunInfo:
    """This process as a run of ``python ARGUMENTS``; rank and world size as launchers such as torchrun set them."""
    from gradclinic.schema.record import RunInfo  # numpy: not before the script has started

    return RunInfo(
        command=("python", *arguments),
        started=time.time(),
        python=platform.python_version(),
        platform=platform.platform(),
        gradclinic=version(),
        pid=os.getpid(),
        torch=torch,
        rank=own_rank() or 0,
        world_size=_number("WORLD_SIZE") or 1,
        steps_planned=steps,
    )


def own_rank() -> int | None:
    """This process's rank in a distributed job; None outside one."""
    return _number("RANK")


def _number(variable: str) -> int | None:
    text = os.environ.get(variable, "")
    return int(text) if text.isdecimal() else None
