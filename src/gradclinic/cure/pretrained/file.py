"""Weights from a file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch

from gradclinic.errors import UserError


def read_weights(path: str | Path) -> Mapping[str, Any]:
    """The state dict or checkpoint that ``torch.save`` wrote, on the CPU; nothing in the file is executed.

    Raises:
        UserError: it cannot be read, or is neither.
    """
    try:
        found = torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise UserError(f"cannot read the weights {path}: {error.strerror}") from error
    except (UnpicklingError, RuntimeError, EOFError) as error:
        why = str(error).splitlines()[0][:160] if str(error) else type(error).__name__
        raise UserError(f"{path} holds no state dict that torch.load can read without running code: {why}") from error
    if not isinstance(found, Mapping):
        raise UserError(f"{path} holds no state dict, but a {type(found).__name__}: save model.state_dict()")
    return found
