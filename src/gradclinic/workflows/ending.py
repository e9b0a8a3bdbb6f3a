"""How a run ended: what the child noted of it, corrected by what its parent saw."""

from __future__ import annotations

import signal
import sys
import time
import traceback

from gradclinic.schema.record import Ending, Status


def noted_ending() -> Ending:
    """Inside the child, at exit: the exception that it dies of, if any.  The exit code is known only outside."""
    # Python leaves the exception here before it calls any exception hook, the user's own included.
    error: BaseException | None = getattr(sys, "last_value", None)
    if error is None:
        return Ending("finished", time.time())
    return Ending(
        "interrupted" if isinstance(error, KeyboardInterrupt) else "failed",
        time.time(),
        error=one_line(error),
        traceback="".join(traceback.format_exception(error)),
    )


def one_line(error: BaseException) -> str:
    """``"ValueError: what it said"``; the first line of a long message."""
    lines = "".join(traceback.format_exception_only(error)).strip().splitlines()
    # A syntax error shows its code first; its last line is the message.
    return lines[-1] if isinstance(error, SyntaxError) else lines[0]


def seen_ending(code: int, noted: Ending | None) -> Ending:
    """Outside, once the child has gone with ``code`` (``-N``: killed by signal N): what really happened.

    A script may handle its exception after all, or be killed while it exits, so the code decides.
    """
    if code == 0:
        return Ending("finished", noted.finished if noted else time.time(), exit_code=0)
    # Python dies of SIGINT once it has shown a KeyboardInterrupt that nobody caught.
    told = noted is not None and noted.status == "interrupted" and code == -signal.SIGINT
    if code < 0 and not told:
        status: Status = "interrupted" if code == -signal.SIGINT else "killed"
        return Ending(status, time.time(), exit_code=128 - code, error=f"killed by {_signal_name(-code)}")
    if noted is None:
        return Ending("failed", time.time(), exit_code=code)
    status = "interrupted" if noted.status == "interrupted" else "failed"
    seen = code if code > 0 else 128 - code
    return Ending(status, noted.finished, exit_code=seen, error=noted.error, traceback=noted.traceback)


def _signal_name(number: int) -> str:
    try:
        return f"{signal.Signals(number).name} (signal {number})"
    except ValueError:  # a real-time signal has no name
        return f"signal {number}"
