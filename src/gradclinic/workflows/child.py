"""Runs the script as a child process that notices nothing of it, and waits as a shell would.

The child gets this process's own stdin, stdout, stderr, inherited files, folder, process group and
signal settings.  Ctrl-C reaches it from the terminal; what is sent to this process alone is handed on.
"""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import gradclinic

#: What people, shells and schedulers send to stop a run, or to tell it that its time is nearly up.
FORWARDED = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2}

#: How often ``idle`` is called while the child runs, in seconds: the rate of the status line.
IDLE_SECONDS = 0.25

#: A signal that was sent to the whole process group (``timeout``, a scheduler) ends the child without us;
#: so much time it gets to do so before the signal is handed on.
GRACE_SECONDS = 0.3

#: ``si_code`` of a signal that the kernel made: from the terminal, to the whole foreground group.
_SI_KERNEL = 0x80


def environment(
    record: Path,
    *,
    steps: int | None,
    launches_ranks: bool,
    guard: bool = False,
    guard_times: int | None = None,
    guard_folder: Path | None = None,
    base: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """The child's environment: ``base`` (this process's) and what :mod:`gradclinic.inject.sitecustomize` reads."""
    env = dict(os.environ if base is None else base)
    home = Path(gradclinic.__file__).absolute().parent
    env["GRADCLINIC_RECORD"] = str(record)
    env["GRADCLINIC_HOME"] = str(home.parent)
    if steps is not None:
        env["GRADCLINIC_STEPS"] = str(steps)
    if guard:
        env["GRADCLINIC_GUARD"] = "" if guard_times is None else str(guard_times)
    if guard_folder is not None:
        env["GRADCLINIC_GUARD_DIR"] = str(guard_folder)
    if launches_ranks:
        env["GRADCLINIC_LAUNCHER"] = "self"
    inject = str(home / "inject")
    path = env.get("PYTHONPATH")
    if path is not None:
        env["GRADCLINIC_PYTHONPATH"] = path
    # An empty PYTHONPATH means none; a trailing separator would put the current folder on the path.
    env["PYTHONPATH"] = f"{inject}{os.pathsep}{path}" if path else inject
    return env


def run_child(argv: Sequence[str], env: Mapping[str, str], idle: Callable[[], None]) -> int:
    """Runs ``argv`` to its end and returns its exit code; ``-N`` where signal N killed it.

    Raises:
        OSError: the program could not be started.
    """
    if not hasattr(signal, "sigtimedwait"):
        return _run_simply(argv, env, idle)
    # While they are blocked no signal can kill this process, and each comes with who sent it.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {*FORWARDED, signal.SIGCHLD})
    previous = signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # where it is ignored a child leaves no exit status
    try:
        # Python ignores these two and its own children get them back; so must ours.
        child = os.posix_spawn(argv[0], list(argv), env, setsigmask=before, setsigdef=[signal.SIGPIPE, signal.SIGXFSZ])
        return _wait(child, idle)
    finally:
        # A Ctrl-C that is still pending has done its work; it must not interrupt the report.
        while signal.sigtimedwait({*FORWARDED, signal.SIGCHLD}, 0):
            pass
        signal.signal(signal.SIGCHLD, previous)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _wait(child: int, idle: Callable[[], None]) -> int:
    pending: dict[int, float] = {}  # signal -> when to hand it on
    while True:
        received = signal.sigtimedwait({*FORWARDED, signal.SIGCHLD}, IDLE_SECONDS)
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        now = time.monotonic()
        if received and received.si_signo in FORWARDED and received.si_code != _SI_KERNEL:
            pending.setdefault(received.si_signo, now + GRACE_SECONDS)
        for number in [number for number, when in pending.items() if when <= now]:
            del pending[number]
            os.kill(child, number)
        idle()


def _run_simply(argv: Sequence[str], env: Mapping[str, str], idle: Callable[[], None]) -> int:
    """The same where the system cannot say who sent a signal: interrupts are left to the terminal."""
    import subprocess

    before = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        child = subprocess.Popen(argv, env=env, close_fds=False)
        while True:
            try:
                return child.wait(IDLE_SECONDS)
            except subprocess.TimeoutExpired:
                idle()
    finally:
        signal.signal(signal.SIGINT, before)


def end_like(code: int) -> int:
    """The exit status for a child that ended with ``code``; does not return where a signal killed it.

    Dying by the same signal is what tells a shell (128 + N) and a scheduler what really happened.
    """
    if code >= 0:
        return code
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError, AttributeError):  # closed, or nobody reads on
            stream.flush()
    number = -code
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))  # no core of our own
    try:
        signal.signal(number, signal.SIG_DFL)
    except OSError:
        pass  # SIGKILL cannot be set, and need not be
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {number})
    os.kill(os.getpid(), number)
    return 128 + number
