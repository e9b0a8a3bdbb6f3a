"""Tests on copies: the first step is kept, and run again with one thing changed when the run looks sick."""

from __future__ import annotations

import copy
import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import asdict
from statistics import median
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.module import register_module_forward_pre_hook
from torch.optim import Optimizer
from torch.utils._pytree import tree_leaves
from torch.utils.hooks import RemovableHandle

from gradclinic.measure.ledger.scopes import Scopes, compile_in_use
from gradclinic.measure.replay import Battery, Replay, Tape, input_reach, pairing

from .first_step import shown_by
from .orphans import Orphans
from .roster import Roster

#: Steps after which a loss that has not moved is looked into; later ones for what takes longer to show.  The cost of
#: at most 50 steps is then a third of the run, once, for a run that does not learn.
CHECKS = (150, 600, 2400)
#: A loss that doubled, or is no number, is looked into as soon as a median of five is there.
EARLY_CHECK = 20
#: A run whose loss has lost a tenth moves.
MOVES = 0.9
#: And one that has lost half of it by its end did more than creep.
CREPT = 0.5
GROWN = 2.0
#: Share of the free memory that the copy of parameters and batch may take.
MEMORY_SHARE = 0.1
#: Fewer steps show nothing.
LEAST_STEPS = 3


class Experiment:
    """Keeps one recorded step with the optimizer as it was, and tests it once.

    ``put(kind, data)`` takes the events ``intervention`` (one per change) or ``intervention_abstained``, what the
    recording shows of the script itself (:mod:`.first_step`), and ``orphan_parameters``.  Without ``tests`` the step
    is recorded for what it shows, and not kept.
    """

    def __init__(
        self,
        put: Callable[[str, dict[str, Any]], None],
        roster: Roster,
        scopes: Scopes,
        *,
        tests: bool = True,
    ) -> None:
        self._put, self._roster = put, roster
        self._module_now = lambda: scopes.current
        self._orphans = Orphans(roster, lambda: scopes.outermost)
        self._tape: Tape | None = None
        self._handle: RemovableHandle | None = None
        self._thread = 0
        self._kept: tuple[Replay, Optimizer, float | None, int] | None = None
        self._losses: list[float] = []
        self._recent: list[float] = []
        self._backwards = 0
        self._scale = 1.0
        self._over = False
        self._bare = False
        self._tests = tests

    # -- recording -----------------------------------------------------------------------------------------

    def arm(self) -> None:
        """Records the coming step, from the first module that runs with gradients on."""
        if self._over or self._kept is not None or self._tape is not None or compile_in_use():
            return
        self._thread = threading.get_ident()
        self._handle = register_module_forward_pre_hook(self._forward_begins)

    def _forward_begins(self, module: nn.Module, args: Any) -> None:
        if torch.compiler.is_compiling() or self._tape is not None or threading.get_ident() != self._thread:
            return
        if not torch.is_grad_enabled() or isinstance(module, torch.jit.ScriptModule):
            return
        if not any(parameter.requires_grad for parameter in module.parameters()):
            return
        self._tape = Tape(self._module_now, self._orphans.read)
        self._tape.begin(item for item in tree_leaves(args) if isinstance(item, Tensor))

    def backward_begins(self, roots: Sequence[Tensor], scale: float) -> None:
        """``scale`` is what a gradient scaler has multiplied the loss with."""
        self._backwards += 1
        self._scale = scale
        if self._tape is not None:
            self._tape.close(roots)

    def step_begins(self, optimizer: Optimizer, has_closure: bool, loss: float | None, tick: int) -> None:
        """The parameters still are what the step was computed with: copies are taken now."""
        tape, self._tape = self._tape, None
        self.release(tape)
        if tape is None or self._kept is not None or self._over:
            self._bare = tape is None and tick == 0
            return
        for kind, data in shown_by(tape, self._roster.name_of):
            self._put(kind, data)
        if not self._tests:
            self._over = True
            return
        trouble = self._trouble(tape, optimizer, has_closure)
        if trouble:
            self._abstain(trouble)
            return
        replay = Replay(tape.recording, self._scale)
        itself = {id(p): p for group in optimizer.param_groups for p in group["params"]}
        self._kept = (replay, copy.deepcopy(optimizer, dict(itself)), loss, tick)

    def compiled(self) -> None:
        """Something is about to be compiled: no module hook may be there when it is traced."""
        self.release()
        self._tape = None
        if self._kept is None and not self._over:
            self._abstain("a part of the model is compiled")

    def _trouble(self, tape: Tape, optimizer: Optimizer, has_closure: bool) -> str | None:
        if has_closure:
            return "the optimizer evaluates the loss itself"
        if tape.trouble:
            return tape.trouble
        if self._backwards != 1:
            return f"the step had {self._backwards} backward passes"
        leaves = tape.recording.leaves
        mine = {id(p) for group in optimizer.param_groups for p in group["params"]}
        if not any(id(leaf) in mine for leaf in leaves):
            return "the optimizer trains nothing that the loss depends on"
        if sum(leaf.numel() * leaf.element_size() for leaf in leaves) > MEMORY_SHARE * _free_memory(leaves):
            return "the model is too large to copy"
        return None

    def release(self, tape: Tape | None = None) -> None:
        """Takes the hooks away; what was recorded stays."""
        if self._handle is not None:
            self._handle.remove()
            self._handle = None
        tape = tape or self._tape
        if tape is not None:
            tape.close(())
            tape.leave()

    # -- testing -------------------------------------------------------------------------------------------

    def step_ended(self, steps: int) -> None:
        """Tests where the run looks sick.  ``steps`` counts the steps so far."""
        self._backwards = 0
        if self._bare:  # no module ran: the script calls functions only, so the next step is recorded as a whole
            self._bare, self._tape = False, Tape(self._module_now)
            self._tape.begin()
        if self._kept is None or self._over:
            return
        if (steps in CHECKS and self._flat()) or (steps >= EARLY_CHECK and steps % EARLY_CHECK == 0 and self._grown()):
            self.test()
        elif steps > CHECKS[-1]:
            self._kept, self._over = None, True  # it learns: the copies are freed

    def note_loss(self, loss: float | None) -> None:
        if loss is None or self._over:
            return
        if len(self._losses) < 5:
            self._losses.append(loss)
        self._recent = [*self._recent[-9:], loss]

    def finish(self, steps: int) -> None:
        """The end of the run is the last occasion, and there what only crept is looked into as well."""
        self.release()
        orphans = self._orphans.told() if steps >= LEAST_STEPS else None
        if orphans is not None:
            self._put("orphan_parameters", orphans)
        if self._kept is not None and not self._over and steps >= LEAST_STEPS:
            if self._flat(CREPT) or self._grown():
                self.test()

    def test(self) -> None:
        """Runs the battery on the kept step and frees it."""
        kept, self._kept, self._over = self._kept, None, True
        if kept is None:
            return
        replay, optimizer, loss, tick = kept
        try:
            battery = Battery(replay, optimizer, loss)
            for tested in battery.run():
                self._put("intervention", tested.data() | {"of": tick})
            norms = input_reach(replay)
            if norms is not None:
                self._put("input_reach", {"norms": norms, "of": tick})
            order = pairing(replay, battery.spent)
            if order is not None:
                self._put("pairing", asdict(order) | {"of": tick})
        except (ValueError, RuntimeError, TypeError, NotImplementedError) as error:
            self._put("intervention_abstained", {"why": f"{type(error).__name__}: {error}"[:300]})

    def _abstain(self, why: str) -> None:
        self._over = True
        self._put("intervention_abstained", {"why": why})

    def _flat(self, share: float = MOVES) -> bool:
        if len(self._losses) < LEAST_STEPS:
            return True
        first, last = min(self._losses[:LEAST_STEPS]), median(self._recent)
        return not last < (share * first if first > 0 else first)

    def _grown(self) -> bool:
        if len(self._losses) < LEAST_STEPS:
            return False
        last = median(self._recent[-LEAST_STEPS:])
        return not abs(last) <= GROWN * max(abs(self._losses[0]), 1e-12)


def _free_memory(leaves: Sequence[Tensor]) -> float:
    """Bytes free where the leaves live: on the host, or on the fullest device."""
    devices = {leaf.device for leaf in leaves if leaf.is_cuda}
    if devices:
        return float(min(torch.cuda.mem_get_info(device)[0] for device in devices))
    return float(os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
