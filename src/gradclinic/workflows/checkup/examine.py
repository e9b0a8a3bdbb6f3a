"""Everything that a check-up measures, in order; what cannot be measured is said in the record as well."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import chain, islice
from typing import Any

import torch
from torch import Tensor, nn

from gradclinic.diagnose.forecast import thrown
from gradclinic.measure.baseline import Constant, best_constant, measure_baseline
from gradclinic.measure.jacobian import NoProduct, Split, split
from gradclinic.measure.jacobian.tree import cloned
from gradclinic.measure.optimizers import NotApplicable
from gradclinic.measure.window import measure_ends, settle
from gradclinic.schema.record import Event, Sink
from gradclinic.task import Task

from .at_start import MEASUREMENTS
from .memory import give_back, resident
from .trial import Trial
from .user_code import told_in_one_line

#: Real steps.  Fewer say less of what comes (``make foresee`` has 12 beside 24), and all that a check-up does is to
#: cost at most 40 backward passes.
STEPS = 24
#: Batches that the trial trains on and that everything is measured on as well, and as many that it never sees.
PROBES = 2
#: Told before each part: what comes, and how much of the whole is done.
Tell = Callable[[str, float], None]


def examine(task: Task, seed: int, sink: Sink, tell: Tell, *, again: bool = False) -> None:
    """Measures ``task``, trains its model for :data:`STEPS` steps and measures again.

    ``again``: another seed of a task that was examined; only what the forecast is made of is measured.

    The generators of Python, numpy and torch are the caller's to restore.

    Raises:
        UserError: the user's own code fails, or gives what it should not.
    """
    _Examination(task, seed, sink, tell).run(start=not again)


class _Examination:
    def __init__(self, task: Task, seed: int, sink: Sink, tell: Tell) -> None:
        self._task, self._seed, self._sink, self._tell = task, seed, sink, tell
        with told_in_one_line():
            stream = task.stream()
            self._seen, self._new = list(islice(stream, PROBES)), list(islice(stream, PROBES))
            self._trial = Trial(task, chain(map(cloned, self._seen), stream), sink)
        self._resident = resident()
        self._trusted = False  # the loss could be taken apart
        self._constants: dict[str, Constant | None] = {}  # of each probe's batches
        self._shown: list[dict[str, Any]] = []  # what the outputs explained

    def run(self, *, start: bool) -> None:
        model, trial = self._task.model, self._trial
        before = copy.deepcopy(model.state_dict())
        with trial:
            if start:
                self._start()
            self._measure(0.2)
            self._window(0.25, bend=False)
            for begin in (0.3, 0.6):
                with told_in_one_line():
                    trial.take(STEPS // 2, partial(self._told, begin))
                give_back(self._resident)
                self._measure(begin + 0.25)
        # Where the steps have wrecked the weights, only the initial ones say where the window is.
        if trial.broken or thrown(self._shown):
            model.load_state_dict(before)
        del before
        self._window(0.85, bend=True)
        self._tell("the diagnosis", 1.0)

    def _start(self) -> None:
        """What the initial weights alone say."""
        task = self._task
        for place, (what, kind, measure) in enumerate(MEASUREMENTS):
            self._tell(what, 0.05 * place)
            with self._attempt(what):
                self._put(kind, measure(task.model, self._loss, self._seen[0], self._seed))

    def _loss(self, model: nn.Module, batch: Any) -> Tensor:
        """A loss may write to its batch, which is measured again."""
        return self._task.loss(model, cloned(batch))

    def _told(self, begin: float, done: float) -> None:
        self._tell("a few real steps", begin + 0.25 * done)

    def _measure(self, share: float) -> None:
        """What the outputs explain of the loss, on batches that are trained on and on others."""
        self._tell("what the outputs explain", share)
        for name, batches in (("seen", self._seen), ("new", self._new)):
            with self._attempt("what the outputs explain"):
                shown = self._baseline(name, batches)
                self._shown.append({"at": self._trial.steps, "seed": self._seed, "probe": name, **shown})
                self._put("baseline", self._shown[-1])

    def _baseline(self, name: str, batches: Sequence[Any]) -> dict[str, Any]:
        splits = self._split(batches)
        if name not in self._constants:
            self._constants[name] = best_constant(splits)
        return measure_baseline(splits, self._constants[name]).to_dict()

    def _window(self, share: float, *, bend: bool) -> None:
        """What sets the ends of the window, at the model's weights."""
        self._tell("the window of learning rates", share)
        task = self._task
        with self._attempt("the window of learning rates"):
            held = settle(copy.deepcopy(task.model), self._loss, task.optimizer, self._seen)
            (found,) = self._split(self._seen[:1])
            generator = torch.Generator().manual_seed(self._seed)
            ends = measure_ends(found, held, bend=bend, generator=generator)
            self._put("window_ends", {"lr": held.lr, **ends.to_dict()})

    def _split(self, batches: Sequence[Any]) -> list[Split]:
        """Whether the closure can be taken apart is found out once."""
        found = []
        for batch in batches:
            task = self._task
            # The model is a copy that belongs to the check-up: another one for each batch is spared.
            found.append(split(task.model, task.loss, batch, seed=self._seed, trusted=self._trusted, own=True))
            self._trusted = True
        return found

    def _put(self, kind: str, data: dict[str, Any]) -> None:
        steps = self._trial.steps
        self._sink.put(Event(steps, kind, {"at": steps, "seed": self._seed, **data}))

    @contextmanager
    def _attempt(self, what: str) -> Iterator[None]:
        """Whatever cannot be measured costs that measurement only."""
        try:
            yield
        except Exception as error:
            why = str(error) if isinstance(error, (NoProduct, NotApplicable)) else f"{type(error).__name__}: {error}"
            self._put("unmeasured", {"what": what, "why": " ".join(why.split())[:300]})
        finally:
            give_back(self._resident)
