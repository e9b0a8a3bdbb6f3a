"""What the user's own code raises, in one line with its place."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gradclinic.errors import UserError

PACKAGE = Path(__file__).resolve().parents[2]


@contextmanager
def told_in_one_line() -> Iterator[None]:
    """Makes a :class:`UserError` of any exception; the last line of the user's own code on the way to it is named.

    What torch raises on behalf of the user's code (shapes that do not fit, a loss without a gradient) counts as theirs.
    """
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        said = " ".join(f"{type(error).__name__}: {error}".split())
        raise UserError(f"the target's code failed{_place(error)}: {said[:300]}") from error


def _place(error: Exception) -> str:
    found = ""
    for frame in traceback.extract_tb(error.__traceback__):
        path = Path(frame.filename)
        if "site-packages" not in path.parts and PACKAGE not in path.resolve().parents and path.is_file():
            found = f" in {path.name}, line {frame.lineno}"
    return found
