"""The stopping test."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from gradclinic.errors import UserError

from .signs import Signs, moving, standing
from .standstill import Standstill, at_rest, look
from .state import Verdict

if TYPE_CHECKING:
    from torch import Tensor, nn
    from torch.optim import Optimizer

    from gradclinic.measure.convergence import LossBlocks, Totals

#: Steps of the first stretch: blocks of eight losses, and a mean gradient that shows a signal of a tenth of its noise.
WINDOW = 200
#: A hundredth of the loss: the digit in which results are reported.
TOLERANCE = 0.01
#: Batches that a standstill is looked at on: those of the last steps.
BATCHES = 8


class Convergence:
    """Tells, in any training loop, convergence from everything else that looks like it.

    Call :meth:`update` once per optimizer step, after ``backward`` and before ``optimizer.step()``; with a gradient
    scaler, after ``scaler.unscale_(optimizer)``::

        stop = gradclinic.Convergence(model, optimizer, loss=loss)  # loss(model, batch)
        for batch in batches:
            ...
            value.backward()
            if stop.update(value, batch):
                break
            optimizer.step()
        print(stop.verdict)

    A step costs one pass over gradients and weights and does not wait for the device; the memory is three copies of
    the weights.  When a third of the run is new (at first ``window`` steps) its losses and gradients are read.  Only
    where they stand still is the loss function asked: some hundred passes through the model, on the last batches.

    ``loss(model, batch)`` is what is minimised.  Without it nothing is called converged, but ``stationary`` at most:
    a vanished gradient and a saddle look just so.  ``tolerance``: the fall in a third of the run that does not matter,
    relative to the loss.  The model, the batches and all generators are left as they were.
    """

    def __init__(
        self,
        model: nn.Module,
        optimizer: Optimizer,
        loss: Callable[[nn.Module, Any], Tensor] | None = None,
        *,
        tolerance: float = TOLERANCE,
        window: int = WINDOW,
    ) -> None:
        if not 0 < tolerance < 1:
            raise UserError(f"tolerance is a share of the loss between 0 and 1, not {tolerance!r}; 0.01 is usual")
        if window < 2 * 24:
            raise UserError(f"window must be at least 48 steps, not {window}: fewer do not tell a fall from noise")
        self.tolerance, self.window = tolerance, window
        self._model, self._optimizer, self._loss = model, optimizer, loss
        self._groups = [[p for p in group["params"] if p.requires_grad] for group in optimizer.param_groups]
        if not any(self._groups):
            raise UserError("the optimizer holds no parameter that wants a gradient; nothing can converge")
        self._verdict = Verdict("undecided", 0, "no step was seen")
        self._steps = 0
        self._first: float | None = None  # the loss of the first steps
        self._peak = 0.0  # the largest mean gradient of any stretch
        self._travelled = [0.0] * len(self._groups)  # Σ lr, by group
        self._batches: deque[Any] = deque(maxlen=BATCHES)
        self._begin(window)

    @property
    def verdict(self) -> Verdict:
        """The latest answer."""
        return self._verdict

    @property
    def converged(self) -> bool:
        """Whether the latest answer is that it converged."""
        return self._verdict.state == "converged"

    def update(self, loss: Tensor, batch: Any = None) -> bool:
        """Takes note of one step; returns whether the training has converged.

        ``batch`` is what the loss function is given where it is to be asked; needed where there is one.
        """
        if self._loss is not None and batch is None:
            raise UserError("update(loss, batch) needs the batch as well, since Convergence was given a loss function")
        self._losses.add(loss)
        self._totals.add()
        if batch is not None:
            self._batches.append(batch)
        for place, group in enumerate(self._optimizer.param_groups):
            self._travelled[place] += float(group["lr"])
        self._steps += 1
        if self._steps == self._end:
            self._judge()
            self._begin(max(self.window, self._steps // 2))
        return self.converged

    __call__ = update

    def _begin(self, length: int) -> None:
        from gradclinic.measure.convergence import LossBlocks, Totals

        self._losses: LossBlocks = LossBlocks(length)
        self._totals: Totals = Totals([p for group in self._groups for p in group], length)
        self._end = self._steps + length

    def _judge(self) -> None:
        from gradclinic.measure.convergence.totals import together

        trend = self._losses.trend()
        parts = self._totals.read(at_rest(self._optimizer))
        groups = [together([parts[p] for p in group]) for group in self._groups]
        whole = together(list(parts.values()))
        if self._first is None:
            self._first = trend.first
        self._peak = max(self._peak, whole.mean)
        signs = Signs(trend, whole, self._first, self._peak, self.tolerance)
        state, reason = moving(signs)
        numbers: dict[str, Any] = signs.numbers()
        if state is None:
            found = self._look(signs.material)
            numbers |= found.numbers()
            state, reason = standing(signs, found, self._steps)
        self._verdict = Verdict(state, self._steps, reason, numbers, tuple(group.signal for group in groups))

    def _look(self, material: float) -> Standstill:
        if self._loss is None or not self._batches:
            return Standstill()
        travelled = {p: total for group, total in zip(self._groups, self._travelled, strict=True) for p in group}
        return look(self._model, self._optimizer, self._loss, list(self._batches), travelled, material)
