"""Which functions, which modules, and whether the loss's own code, have a gradient that is not their derivative."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Sequence

from gradclinic.measure.gradcheck import GradCheck
from gradclinic.schema.slope import Disagreement, DisagreementKind

from .calls import Calls, ModuleCall, record, written_here
from .functions import check_functions
from .hints import Hints
from .piece import check_closure, check_module, check_output
from .twin import Twin

#: For the search as a whole, and for one module's check: many are small.
SECONDS = 30.0
PIECE_SECONDS = 4.0
#: Modules whose outputs are tried, inside one that cuts something off; the innermost cut is nearly always among them.
OUTPUTS = 16

_CUT = "leaves a part of its slope out of the graph"


def find(twin: Twin, seed: int) -> list[Disagreement]:
    """All places, the functions first.  A module that holds one already found is not looked at itself."""
    deadline = time.perf_counter() + SECONDS
    calls = record(twin)
    found = check_functions(twin, calls.functions, seconds=SECONDS / 4)
    for call in _by_class(calls.made):
        left = deadline - time.perf_counter()
        if left <= 0:
            break
        if not written_here(call.module) or any(_inside(item, call.path) for item in found):
            continue
        with contextlib.suppress(Exception):  # a part may not run by itself; then the others are looked at
            item = _module(twin, call, calls, seed, min(left, PIECE_SECONDS))
            found += [item] if item is not None else []
    if not any(item.part == "loss" for item in found):
        item = _closure(twin, calls, seed, PIECE_SECONDS)
        found += [item] if item is not None else []
    return [item for item in found if not any(_holds(item, other) for other in found)]


def _by_class(calls: Sequence[ModuleCall]) -> list[ModuleCall]:
    """One of each class first, since the same code is right or wrong everywhere; inner modules before outer ones."""
    first: dict[type, ModuleCall] = {}
    for call in calls:
        first.setdefault(type(call.module), call)
    chosen = [call for call in calls if first[type(call.module)] is call]
    return chosen + [call for call in calls if first[type(call.module)] is not call]


def _inside(item: Disagreement, path: str) -> bool:
    return item.part == "model" and (path == "" or item.module == path or item.module.startswith(path + "."))


def _holds(outer: Disagreement, inner: Disagreement) -> bool:
    """Whether ``outer`` is a module that was found before one inside it."""
    return (
        outer is not inner
        and outer.part == inner.part == "model"
        and outer.function is None
        and outer.module != inner.module
        and _inside(inner, outer.module)
    )


def _module(twin: Twin, call: ModuleCall, calls: Calls, seed: int, seconds: float) -> Disagreement | None:
    with _hints(twin) as hints:
        check, names = check_module(twin, call, seconds=seconds, seed=seed)
    if not check.wrong:
        return None
    functions = [function for function, where in calls.functions.items() if where == call.path]
    kind = _kind(check, bool(functions), hints.hooked or bool(call.module._backward_hooks))
    cut = _cut(twin, call, calls.made, seed, seconds) if kind == "detached" else ()
    return _made(check, names, kind, "model", call.path, functions, hints, cut)


def _closure(twin: Twin, calls: Calls, seed: int, seconds: float) -> Disagreement | None:
    try:
        with _hints(twin) as hints:
            check = check_closure(twin, seconds=seconds, seed=seed)
    except Exception:  # it cannot be told from the model: NoSplit, or a reentrant checkpoint's refusal
        return None
    if not check.wrong:
        return None
    functions = [function for function, where in calls.functions.items() if where is None]
    return _made(check, ["output"], _kind(check, bool(functions), hints.hooked), "loss", "", functions, hints, ())


@contextlib.contextmanager
def _hints(twin: Twin) -> Iterator[Hints]:
    twin.hints = Hints()
    try:
        yield twin.hints
    finally:
        twin.hints = None


def _kind(check: GradCheck, functions: bool, hooked: bool) -> DisagreementKind:
    fits = [item.fit for item in check.wrong if item.fit is not None]
    if fits and all(fit.deliberate for fit in fits):
        return "deliberate"
    # Torch's own derivatives are right: without a function or a hook, something was left out of the graph.
    return "wrong" if functions or hooked else "detached"


def _cut(twin: Twin, outer: ModuleCall, calls: Sequence[ModuleCall], seed: int, seconds: float) -> tuple[str, ...]:
    """Modules directly inside ``outer`` whose output goes on without its gradient."""
    prefix = outer.path + "." if outer.path else ""
    inner = [call for call in calls if call is not outer and call.path.startswith(prefix)]
    direct = [c for c in inner if not any(c is not o and c.path.startswith(o.path + ".") for o in inner)]
    checks = ((call, check_output(twin, outer, call, seconds=seconds, seed=seed)) for call in direct[-OUTPUTS:])
    return tuple(call.path for call, check in checks if check.wrong)


def _made(
    check: GradCheck,
    names: Sequence[str],
    kind: DisagreementKind,
    part: str,
    path: str,
    functions: Sequence[type],
    hints: Hints,
    cut: tuple[str, ...],
) -> Disagreement:
    worst = check.wrong[0]
    return Disagreement(
        kind=kind,
        part="loss" if part == "loss" else "model",
        module=path,
        function=functions[0].__qualname__ if functions else None,
        file="",
        line=0,
        towards=tuple(names[item.index] for item in check.wrong),
        error=worst.relative_error,
        scale=worst.fit.scale if worst.fit else None,
        meaning=_CUT if kind == "detached" else worst.fit.meaning if worst.fit else "",
        cut=cut,
        hints=tuple(hints.found)[:8],
    )
