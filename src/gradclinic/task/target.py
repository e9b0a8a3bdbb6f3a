"""How a user names what is trained: ``file.py:name``, ``package.module:name``, a callable, a task or a mapping."""

from __future__ import annotations

import copy
import dataclasses
import difflib
import importlib
import importlib.util
import random
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch

from gradclinic.errors import UserError

from .task import Task, as_task


@dataclass(frozen=True, slots=True)
class Target:
    """Builds a task as often as it is asked to.

    One that was named can be pickled: another process imports it there by its name.
    """

    name: str  #: as the user wrote it
    _make: Callable[[], Any]
    fresh: bool  #: whether each call builds a new model (False: one given task is copied)

    def build(self, seed: int = 0) -> Task:
        """A task whose random numbers, in building and after, come from ``seed``.  The caller restores the generators.

        Raises:
            UserError: what the target gives is no task.
        """
        seed_all(seed)
        return as_task(self._make(), self.name)

    def changed(self, name: str, change: Callable[[Task], Task]) -> Target:
        """A target that builds the same task and then changes it."""
        return Target(name, partial(_changed, self._make, self.name, change), self.fresh)


def find_target(target: Any) -> Target:
    """The target that a user means.

    Raises:
        UserError: no such file or name, it cannot be imported, or it is not callable.
    """
    if isinstance(target, Target):
        return target
    if isinstance(target, str):
        return Target(target, _Named(target, _load(target)), fresh=True)
    if isinstance(target, (Task, Mapping)):
        task = as_task(target, "the target")
        return Target("the given task", lambda: _copied(task), fresh=False)
    if callable(target):
        return Target(getattr(target, "__qualname__", type(target).__name__), target, fresh=True)
    raise UserError(
        f"a target is 'file.py:name', a callable, a gradclinic.Task or a mapping, not {type(target).__name__}"
    )


class _Named:
    """What a text names; imported anew where it is unpickled, when it is first called."""

    def __init__(self, text: str, found: Callable[[], Any] | None = None) -> None:
        self._text, self._found = text, found

    def __call__(self) -> Any:
        self._found = self._found or _load(self._text)
        return self._found()

    def __reduce__(self) -> tuple[type[_Named], tuple[str]]:
        return _Named, (self._text,)


def _changed(make: Callable[[], Any], name: str, change: Callable[[Task], Task]) -> Task:
    return change(as_task(make(), name))


def seed_all(seed: int) -> None:
    """Seeds the generators of Python, numpy and torch."""
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


@contextmanager
def own_generators() -> Iterator[None]:
    """Whatever is drawn inside, the caller's generators go on as if nothing had been."""
    python, numpy = random.getstate(), np.random.get_state()
    with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
        try:
            yield
        finally:
            random.setstate(python)
            np.random.set_state(numpy)


def _copied(task: Task) -> Task:
    """The same task with a copy of its model, so that trying it out leaves the user's alone.

    Raises:
        UserError: the model cannot be copied.
    """
    try:
        model = copy.deepcopy(task.model)
    except Exception as error:
        said = " ".join(f"{type(error).__name__}: {error}".split())[:200]
        raise UserError(f"the model cannot be copied ({said}): give a callable that builds the task anew") from error
    return dataclasses.replace(task, model=model)


def _load(text: str) -> Callable[[], Any]:
    place, colon, name = text.rpartition(":")
    if not colon or not place or not name:
        raise UserError(f"a target is written file.py:name or package.module:name, not {text!r}")
    module = _import_file(Path(place), text) if place.endswith(".py") else _import_module(place, text)
    thing: Any = module
    for part in name.split("."):
        if not hasattr(thing, part):
            close = difflib.get_close_matches(part, [key for key in vars(thing) if not key.startswith("_")], n=1)
            hint = f"; did you mean {close[0]}?" if close else ""
            raise UserError(f"{place} has no {name!r}{hint}")
        thing = getattr(thing, part)
    if isinstance(thing, (Task, Mapping)):
        task = as_task(thing, text)
        return lambda: _copied(task)
    if not callable(thing):
        raise UserError(f"{text} is not callable: it must be a function without arguments that returns a task")
    return thing  # type: ignore[no-any-return]


def _import_file(path: Path, text: str) -> ModuleType:
    if not path.is_file():
        close = difflib.get_close_matches(path.name, [p.name for p in path.parent.glob("*.py")], n=1)
        hint = f"; did you mean {path.with_name(close[0])}?" if close else ""
        raise UserError(f"no such file: {path}{hint}")
    # The file's folder comes first on the path, as when Python runs it, so that it finds its neighbours; under its own
    # name in sys.modules, so that what it defines can be pickled for worker processes.
    folder = str(path.resolve().parent)
    if folder not in sys.path:
        sys.path.insert(0, folder)
    taken = sys.modules.get(path.stem)
    foreign = taken is not None and Path(getattr(taken, "__file__", None) or "").resolve() != path.resolve()
    name = f"{path.stem}_target" if foreign else path.stem  # a file called random.py must not replace Python's own
    specification = importlib.util.spec_from_file_location(name, path)
    if specification is None or specification.loader is None:
        raise UserError(f"{path} cannot be imported")
    module = importlib.util.module_from_spec(specification)
    sys.modules[name] = module
    _execute(lambda: specification.loader.exec_module(module), text)  # type: ignore[union-attr]
    return module


def _import_module(name: str, text: str) -> ModuleType:
    if "" not in sys.path and str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    try:
        found = importlib.util.find_spec(name)
    except ModuleNotFoundError:
        found = None
    if found is None:
        raise UserError(f"no module named {name!r} in this folder or among the installed packages")
    return _execute(lambda: importlib.import_module(name), text)  # type: ignore[no-any-return]


def _execute(load: Callable[[], Any], text: str) -> Any:
    try:
        return load()
    except Exception as error:
        said = " ".join(f"{type(error).__name__}: {error}".split())
        raise UserError(f"{text} could not be imported: {said}{_last_line(error)}") from error


def _last_line(error: Exception) -> str:
    """Where in the user's file it happened."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return ""
    return f" ({Path(trace.tb_frame.f_code.co_filename).name}, line {trace.tb_lineno})"
