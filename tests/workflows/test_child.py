"""Real processes, none of which imports torch."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gradclinic.workflows.child import environment, run_child

#: Writes down everything about itself that a script can see.
PROBE = """
import builtins, json, os, subprocess, sys
seen = dict(
    argv=sys.argv, path=sys.path, env=dict(os.environ), file=__file__, spec=str(__spec__), name=__name__,
    main=sys.modules["__main__"].__dict__.keys() - {"seen"}, modules=sys.modules.keys(), flags=str(sys.flags),
    warnings=sys.warnoptions, orig=sys.orig_argv, files=os.listdir("/proc/self/fd"), group=os.getpgrp(),
    session=os.getsid(0), folder=os.getcwd(), own=getattr(builtins, "own", None), hook=str(sys.excepthook),
    blocked=[line for line in open("/proc/self/status") if line.startswith(("SigBlk", "SigCgt"))],
    grandchild=subprocess.check_output([sys.executable, "-c", "import os, sys; print(sys.path, os.environ)"]).decode(),
)
with open(sys.argv[1], "w") as file:
    json.dump({key: sorted(value) if isinstance(value, type({}.keys() | set())) or hasattr(value, "mapping") else value
               for key, value in seen.items()}, file)
"""


def run(argv: list[str], **extra: str) -> int:
    return run_child(
        [sys.executable, *argv],
        environment(Path("/x.db"), steps=3, launches_ranks=False, base={**os.environ, **extra}),
        lambda: None,
    )


@pytest.mark.parametrize("path", [None, "", "{own}", "{own}:", ":/nowhere"])
def test_a_script_sees_what_plain_python_would_show_it(tmp_path: Path, path: str | None) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "sitecustomize.py").write_text("import builtins; builtins.own = __file__")
    script = tmp_path / "probe.py"
    script.write_text(PROBE)
    extra = {} if path is None else {"PYTHONPATH": path.format(own=tmp_path / "own")}
    outputs = [str(tmp_path / name) for name in ("plain.json", "under.json")]
    subprocess.run([sys.executable, str(script), outputs[0]], env={**os.environ, **extra}, close_fds=False, check=True)
    assert run([str(script), outputs[1]], **extra) == 0
    plain, under = (json.loads(Path(output).read_text().replace(output, "OUT")) for output in outputs)
    assert under == plain
    assert (plain["own"] is not None) == (path is not None and "own" in path)


def test_an_error_in_the_users_sitecustomize_is_reported_as_always(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "sitecustomize.py").write_text("1 / 0")
    subprocess.run([sys.executable, "-c", "pass"], env={**os.environ, "PYTHONPATH": str(tmp_path)}, check=True)
    plain = capfd.readouterr().err
    assert "ZeroDivisionError" in plain
    assert run(["-c", "pass"], PYTHONPATH=str(tmp_path)) == 0
    assert capfd.readouterr().err == plain


@pytest.mark.parametrize(
    ("code", "status", "prints"),
    [
        ("import sys; sys.exit(3)", 3, ""),
        ("import os; os._exit(4)", 4, ""),
        ("import os; os.kill(os.getpid(), 9)", -9, ""),
        ("import os; os.kill(os.getpid(), 15)", -15, ""),
        ("raise KeyboardInterrupt", -2, ""),
        ("x = (", 1, ""),
        ("import sys; sys.stdout.buffer.write(bytes(range(128)))", 0, "".join(map(chr, range(128)))),
        ("import sys, os; sys.stdout.close(); os.close(1)", 0, ""),
        ("import os, sys; os.fork() or sys.exit(7); print(os.waitstatus_to_exitcode(os.wait()[1]))", 0, "7\n"),
        ("import threading, time; threading.Thread(target=time.sleep, args=(9,), daemon=True).start()", 0, ""),
    ],
)  # fmt: skip
def test_exit_status_and_output_are_kept(
    code: str, status: int, prints: str, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert run(["-c", code]) == status
    assert capfdbinary.readouterr().out == prints.encode()


def test_a_pool_of_spawned_workers_finds_the_scripts_classes(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    script = tmp_path / "pool.py"
    script.write_text(
        "import multiprocessing, os, sys\n"
        "class Thing: pass\n"
        "def work(thing): return type(thing).__module__, [m for m in sys.modules if 'gradclinic' in m]\n"
        "if __name__ == '__main__':\n"
        "    with multiprocessing.get_context('spawn').Pool(1) as pool: print(pool.map(work, [Thing()]))\n"
    )
    assert run([str(script)]) == 0
    assert capfd.readouterr().out == "[('__mp_main__', [])]\n"


LISTENER = """
import signal, sys, time
from pathlib import Path
got = []
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
    signal.signal(number, lambda number, _: got.append(number))
print("ready", flush=True)
end = time.monotonic() + 20
while not got and time.monotonic() < end:
    time.sleep(0.01)
time.sleep(1.0)  # a second one would have come by then
print("got", *got, flush=True)
"""

LAUNCH = """
import os, sys
from pathlib import Path
from gradclinic.workflows.child import end_like, environment, run_child
env = environment(Path("/x.db"), steps=None, launches_ranks=False)
sys.exit(end_like(run_child([sys.executable, *sys.argv[1:]], env, lambda: None)))
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_the_parent_alone_is_handed_on_once(number: signal.Signals) -> None:
    with subprocess.Popen([sys.executable, "-c", LAUNCH, "-c", LISTENER], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == "ready\n"
        parent.send_signal(number)
        assert parent.stdout.read() == f"got {int(number)}\n"
    assert parent.returncode == 0


def test_ctrl_c_in_a_terminal_reaches_the_script_once_and_never_the_parent() -> None:
    spawn = "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))"
    argv = [sys.executable, "-c", spawn, sys.executable, "-c", LAUNCH, "-c", LISTENER]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as terminal:
        assert terminal.stdin is not None
        assert terminal.stdout is not None
        assert terminal.stdout.readline() == "ready\n"
        terminal.stdin.write("\x03")
        terminal.stdin.flush()
        assert terminal.stdout.readline().strip().removeprefix("^C") == f"got {int(signal.SIGINT)}"
    assert terminal.returncode == 0


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV, signal.SIGINT])
def test_the_parent_dies_as_its_child_did(number: signal.Signals) -> None:
    code = f"import os, resource; resource.setrlimit(resource.RLIMIT_CORE, (0, 0)); os.kill(os.getpid(), {int(number)})"
    ended = subprocess.run([sys.executable, "-c", LAUNCH, "-c", code], check=False)
    assert ended.returncode == -number


def test_idle_is_called_while_the_script_runs() -> None:
    began, calls = time.monotonic(), []
    env = environment(Path("/x.db"), steps=None, launches_ranks=False)
    stop = "import sys; sys.stdin.read()"
    reading, writing = os.pipe()
    saved = os.dup(0)
    try:
        os.dup2(reading, 0)

        def idle() -> None:
            calls.append(time.monotonic() - began)
            if len(calls) == 2:  # the script ends when idle has been called twice, and not before
                os.close(writing)

        assert run_child([sys.executable, "-c", stop], env, idle) == 0
    finally:
        os.dup2(saved, 0)
        os.close(saved)
        os.close(reading)
    assert len(calls) >= 2
