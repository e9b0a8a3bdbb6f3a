"""Calls gradclinic when the script has imported torch, and not before.

It imports nothing that Python has not loaded by then: the script finds the modules that it would find without us.
"""

import sys

TYPE_CHECKING = False  # typing's own would be an import
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any


def wait_for_torch(settings: "Mapping[str, str]") -> None:
    """Starts to record as soon as torch has been imported completely; at once where it already is."""

    def arrived() -> None:
        begin(settings)

    if "torch" in sys.modules:  # a .pth file was faster
        arrived()
    else:
        sys.meta_path.insert(0, Arrival("torch", arrived))


class Arrival:
    """An import finder that finds nothing itself, but calls ``arrived`` when ``module`` has been imported."""

    def __init__(self, module: str, arrived: "Callable[[], None]") -> None:
        self.module = module
        self.arrived = arrived

    def find_spec(self, fullname: str, path: "Any" = None, target: "Any" = None) -> "Any":
        """The spec that the other finders give, its loader wrapped; None for every other module."""
        if fullname != self.module:
            return None
        for finder in sys.meta_path:
            find = None if finder is self else getattr(finder, "find_spec", None)
            spec = find(fullname, path, target) if find else None
            if spec is not None:
                if hasattr(spec.loader, "exec_module"):
                    spec.loader = _Loader(spec.loader, self._done)
                return spec
        return None

    def _done(self) -> None:
        if self in sys.meta_path:
            sys.meta_path.remove(self)
            self.arrived()


class _Loader:
    """Runs a module with its own loader, then says that it is done."""

    def __init__(self, loader: "Any", done: "Callable[[], None]") -> None:
        self.loader = loader
        self.done = done

    def create_module(self, spec: "Any") -> "Any":
        return self.loader.create_module(spec)

    def exec_module(self, module: "Any") -> None:
        module.__spec__.loader = module.__loader__ = self.loader
        self.loader.exec_module(module)
        self.done()

    def __getattr__(self, name: str) -> "Any":
        return getattr(self.loader, name)


def begin(settings: "Mapping[str, str]") -> None:
    """Starts to record.  Where that fails the script goes on, and a file beside the record says why."""
    import warnings  # torch has imported it

    path = sys.path[:]
    steps = settings.get("GRADCLINIC_STEPS")
    try:
        sys.path[:] = [settings["GRADCLINIC_HOME"], *_without_script_folder(path)]
        # Under `python -W error` a deprecation inside our own imports must not become the script's exception.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if "GRADCLINIC_TRIAL" in settings:
                from gradclinic.workflows.treat.in_script import begin_trial

                begin_trial(settings["GRADCLINIC_TRIAL"])
                return
            from gradclinic.workflows.record import begin_recording

            begin_recording(
                settings["GRADCLINIC_RECORD"],
                steps=int(steps) if steps else None,
                launched="GRADCLINIC_LAUNCHER" in settings,
                guard=settings.get("GRADCLINIC_GUARD"),
                guard_folder=settings.get("GRADCLINIC_GUARD_DIR"),
            )
    except Exception as error:
        _note_failure(settings["GRADCLINIC_RECORD"], error)
    finally:
        sys.path[:] = path


def _note_failure(record: str, error: Exception) -> None:
    """Tells the parent, which says it when the script has ended."""
    try:
        with open(f"{record}.failed", "w", encoding="utf-8") as file:
            file.write(f"{type(error).__name__}: {error}")
    except OSError as second:
        print(f"gradclinic: cannot watch this run ({error}; {second}); the script goes on", file=sys.stderr)


def _without_script_folder(path: list[str]) -> list[str]:
    """The path without the script's folder: our imports must not run a user's ``queue.py`` or ``gradclinic.py``."""
    import os

    script = getattr(sys.modules.get("__main__"), "__file__", None) or sys.argv[0]
    own = {"", os.getcwd(), os.path.dirname(os.path.realpath(script))}
    return [entry for entry in path if entry not in own]
