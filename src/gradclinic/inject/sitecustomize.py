"""Runs at the start of a Python that `gradclinic run` launched.

It puts the environment and the path back to what they would be without gradclinic, asks to be called
when torch has been imported, and steps aside for the user's own `sitecustomize`.  Processes that the
script starts in turn therefore see nothing of gradclinic.  It imports nothing of gradclinic itself:
a script without torch pays a millisecond.

The contract with :mod:`gradclinic.workflows.child`, which sets the variables:

=====================  ==========================================================================
GRADCLINIC_RECORD      absolute path of the record to write
GRADCLINIC_HOME        folder that holds the gradclinic package
GRADCLINIC_PYTHONPATH  the user's PYTHONPATH; absent where there was none
GRADCLINIC_STEPS       steps that the user means to train; absent where unknown
GRADCLINIC_GUARD       how often the guard may go back, empty for its default; absent where there is no guard
GRADCLINIC_GUARD_DIR   folder for its states; absent where they stay in memory
GRADCLINIC_LAUNCHER    "self" where this process only starts the ranks (torchrun); the ranks find its
                       process id here.  Absent otherwise
GRADCLINIC_TRIAL       file that says what a trial of a treatment is to do; absent where the run is recorded
=====================  ==========================================================================
"""

import os
import sys

_HERE = os.path.dirname(os.path.abspath(__file__))


def _restore_environment() -> None:
    path = os.environ.get("GRADCLINIC_PYTHONPATH")
    if path is None:
        os.environ.pop("PYTHONPATH", None)
    else:
        os.environ["PYTHONPATH"] = path
    for name in [name for name in os.environ if name.startswith("GRADCLINIC_")]:
        del os.environ[name]


def _is_rank_of(launcher: str) -> bool:
    """Whether this is one of the ranks, and not some helper process (``python -c``), of the launcher."""
    return str(os.getppid()) == launcher and sys.argv[:1] != ["-c"]


def _take_over() -> None:
    settings = {name: value for name, value in os.environ.items() if name.startswith("GRADCLINIC_")}
    launcher = settings.get("GRADCLINIC_LAUNCHER")
    if launcher == "self":
        # The ranks are this process's children and must still find us: leave the environment alone.
        os.environ["GRADCLINIC_LAUNCHER"] = str(os.getpid())
        return
    _restore_environment()
    if "GRADCLINIC_RECORD" in settings and (launcher is None or _is_rank_of(launcher)):
        from gradclinic_arrival import wait_for_torch  # lies beside this file

        wait_for_torch(settings)


try:
    _take_over()
except Exception as _error:
    print(f"gradclinic: cannot watch this run ({_error!r}); the script goes on", file=sys.stderr)
finally:
    sys.path[:] = [_entry for _entry in sys.path if _entry != _HERE]
    sys.path_importer_cache.pop(_HERE, None)
    sys.modules.pop("gradclinic_arrival", None)
    del sys.modules["sitecustomize"]

# The user's own, where there is one.  Where there is none, the error tells Python's site module exactly that.
import sitecustomize  # noqa: E402, F401
