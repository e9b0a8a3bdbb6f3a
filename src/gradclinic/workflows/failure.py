"""How the user is told that something went wrong: one line, and where gradclinic itself failed a file with the rest."""

from __future__ import annotations

import contextlib
import sys


def describe_failure(error: BaseException) -> str:
    """One line about an error that nobody foresaw; its traceback goes to a temporary file."""
    import tempfile
    import traceback

    said = f"internal error ({type(error).__name__}: {' '.join(str(error).split())[:200]})"
    try:
        with tempfile.NamedTemporaryFile("w", prefix="gradclinic-", suffix=".txt", delete=False) as file:
            file.write("".join(traceback.format_exception(error)))
    except OSError:
        return f"{said}; please report it"
    return f"{said}; please report it with {file.name}"


def say(message: str) -> None:
    """One line on stderr; nothing where that is closed."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        sys.stderr.write(f"gradclinic: {' '.join(message.split())}\n")
        sys.stderr.flush()
