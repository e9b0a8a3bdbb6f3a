"""Where the states to go back to are kept: two, of which the older is known to be good."""

from __future__ import annotations

import copy
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from torch import Tensor
from torch.amp.grad_scaler import GradScaler
from torch.optim.lr_scheduler import LRScheduler

from gradclinic.measure.slope.memory import free

from .decision import Patient
from .snapshot import Snapshot, Subject, in_memory
from .surroundings import Generators, Scale, Schedules

#: Steps after which a state is trusted: what a bad step does to the loss shows in the next few.  As long as it takes
#: :mod:`.losses` to say that a loss twice its level has run away.
TRUSTED_AFTER = 25
#: Of the free memory that the two copies may take: the training needs some too.
SHARE = 0.5


@dataclass(frozen=True, slots=True)
class State:
    """Everything of one moment."""

    tick: int
    snapshot: Snapshot
    generators: Generators
    scale: Scale | None
    schedules: Schedules
    patients: dict[int, Patient]
    folder: Path | None  #: of its files

    def restore(self, *, generators: bool) -> None:
        """Puts it all back but what is known of the patients, which is the caller's."""
        self.snapshot.restore()
        self.schedules.restore()
        if self.scale is not None:
            self.scale.restore()
        if generators:
            self.generators.restore()


class Shelf:
    """Keeps the newest state and the one before it, in memory or in ``folder``."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = None if folder is None else Path(tempfile.mkdtemp(prefix="guard-", dir=folder))
        self._owner = os.getpid()
        self._newest: State | None = None
        self._before: State | None = None

    @property
    def newest(self) -> State | None:
        return self._newest

    def room(self, subject: Subject) -> str | None:
        """Why there is no room for two states of ``subject``; None where there is."""
        wanted = 2 * subject.bytes()
        if self._folder is not None:
            there, where = shutil.disk_usage(self._folder).free, f"on the disk of {self._folder.parent}"
        else:
            there, where = free(torch.device("cpu")), "in memory; --guard-dir keeps them on disk"
        if wanted <= SHARE * there:
            return None
        return (
            f"two copies of weights and optimizer take {wanted / 2**20:.0f} MiB, more than half of what is free {where}"
        )

    def put(
        self,
        tick: int,
        subject: Subject,
        scaler: GradScaler | None,
        schedulers: Iterable[LRScheduler],
        patients: dict[int, Patient],
    ) -> None:
        """Takes the state of now.  The oldest goes."""
        # The older goes before the new one is made: at no time are there three.
        self._drop(self._before)
        self._before = self._newest
        folder = None
        if self._folder is not None:
            folder = self._folder / str(tick)
            folder.mkdir(exist_ok=True)
        snapshot = Snapshot(subject, in_memory if folder is None else partial(_on_disk, folder))
        scale = None if scaler is None else Scale(scaler)
        kept = copy.deepcopy(patients)
        self._newest = State(tick, snapshot, Generators(), scale, Schedules(schedulers), kept, folder)

    def good(self, tick: int) -> State | None:
        """The newest state if it is old enough to be trusted at ``tick``, else the older; the only one in any case."""
        young = self._newest is not None and tick - self._newest.tick < TRUSTED_AFTER
        return self._before if young and self._before is not None else self._newest

    def forget_after(self, state: State) -> None:
        """Drops a newer state: it was not trusted, and must not come to be."""
        if self._newest is not state:
            self._drop(self._newest)
            self._newest, self._before = state, None

    def _drop(self, state: State | None) -> None:
        if state is not None and state.folder is not None:
            shutil.rmtree(state.folder, ignore_errors=True)

    def clear(self) -> None:
        """Drops both states."""
        self._drop(self._before)
        self._drop(self._newest)
        self._newest = self._before = None

    def close(self) -> None:
        """Drops both and the folder; a forked child leaves its parent's files alone."""
        if self._folder is not None and os.getpid() == self._owner:
            self.clear()
            shutil.rmtree(self._folder, ignore_errors=True)
        self._newest = self._before = None


def _on_disk(folder: Path, name: str, tensor: Tensor) -> Callable[[], Tensor]:
    file = folder / f"{name}.pt"
    kept = tensor.detach().cpu()
    # A view would be written with all of the storage behind it.
    torch.save(kept.clone() if kept.untyped_storage().nbytes() > kept.nbytes else kept, file)

    def back() -> Tensor:
        read: Tensor = torch.load(file, weights_only=True)  # nothing in the file is executed
        return read

    return back
