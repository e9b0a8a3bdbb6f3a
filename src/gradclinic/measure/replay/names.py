"""What a script itself calls a tensor: the name of the variable that holds it where it is first used."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from types import FrameType

import torch
from torch import Tensor

#: Frames of torch and of this package are not the script's.
_TORCH = str(Path(torch.__file__).resolve().parent) + os.sep
_HERE = str(Path(__file__).resolve().parents[2]) + os.sep
#: Frames between a call and the script that are passed over before it is given up.
DEEPEST = 40


def name_in_script(tensor: Tensor) -> str:
    """The local or global variable of the innermost frame of the script that is this very tensor; "" without one."""
    frame = _script_frame()
    if frame is None:
        return ""
    # A copy, so that looking cannot change what is looked at.
    return next((name for name, value in dict(frame.f_locals).items() if value is tensor), "")


def _script_frame() -> FrameType | None:
    frame: FrameType | None = sys._getframe(1)
    for _ in range(DEEPEST):
        if frame is None:
            return None
        file = frame.f_code.co_filename
        if not file.startswith((_TORCH, _HERE, "<")):
            return frame
        frame = frame.f_back
    return None


def words_in_script(pattern: re.Pattern[str]) -> list[str]:
    """The names that the functions of the script that are running use, as far as they match."""
    words: set[str] = set()
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        code = frame.f_code
        if not code.co_filename.startswith((_TORCH, _HERE, "<")):
            words.update(name for name in (*code.co_names, *code.co_varnames) if pattern.search(name))
        frame = frame.f_back
    return sorted(words)
