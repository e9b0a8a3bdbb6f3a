"""What a run leaves on disk: the rows that capture writes and diagnosis reads."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from .ledger import Ledger
from .vitals import Vitals

Kind = Literal["run", "checkup"]
Status = Literal["running", "finished", "failed", "interrupted", "killed"]


@dataclass(frozen=True, slots=True)
class RunInfo:
    """Where and how the run took place."""

    command: tuple[str, ...]
    started: float  #: seconds since the epoch
    python: str
    platform: str
    gradclinic: str
    pid: int
    torch: str | None = None
    rank: int = 0
    world_size: int = 1
    steps_planned: int | None = None
    kind: Kind = "run"


@dataclass(frozen=True, slots=True)
class Ending:
    """How the run ended; absent from a record whose process was killed."""

    status: Status
    finished: float
    exit_code: int | None = None
    error: str | None = None  #: "ValueError: ..." of the exception that ended the script
    traceback: str | None = None


@dataclass(frozen=True, slots=True)
class ParameterInfo:
    """One distinct parameter.  Tied weights are one parameter with several names."""

    index: int  #: its row in every array of vitals and updates
    name: str
    shape: tuple[int, ...]
    dtype: str
    requires_grad: bool
    module: str  #: dotted path of the module that owns it
    module_type: str  #: class name, e.g. "Linear"
    optimizer: int | None  #: index of the optimizer that steps it; None: nobody does
    group: int | None = None
    aliases: tuple[str, ...] = ()
    rms: float | None = None  #: at the first step
    fan_in: int | None = None
    device: str = "cpu"


@dataclass(frozen=True, slots=True)
class OptimizerInfo:
    """One optimizer and its settings at the first step."""

    index: int
    name: str  #: class name; "by hand" where the script updates its weights itself
    groups: tuple[dict[str, Any], ...]  #: the scalar settings of each parameter group


@dataclass(frozen=True, slots=True)
class Step:
    """One optimizer step, or one backward pass where the script has no optimizer."""

    tick: int  #: counts the steps of all optimizers together; the key of the row
    optimizer: int
    step: int  #: counts the steps of this optimizer, from 0
    time: float  #: seconds since the run started
    loss: float | None  #: mean over the backward passes of this step; None where none was seen
    backwards: int  #: backward passes since this optimizer's last step
    lr: tuple[float, ...]  #: one per parameter group, as it was for this step
    skipped: bool = False  #: a gradient scaler held the step back
    scale: float | None = None  #: the gradient scaler's scale
    clip_norm: float | None = None  #: total norm before clipping
    clip_limit: float | None = None
    #: One row per parameter (by index), gradients as the optimizer saw them (unscaled, clipped).
    gradients: Vitals | None = None


@dataclass(frozen=True, slots=True)
class Exponents:
    """Histogram of binary exponents of each parameter's gradient at one step: int64 (parameters, 256)."""

    tick: int
    counts: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Updates:
    """What one step did to each parameter; float64 arrays, one element per parameter, nan where unseen.

    Large parameters are sampled; the norms are scaled up to the whole.
    """

    tick: int
    weight_norm: NDArray[np.float64]
    update_norm: NDArray[np.float64]
    unchanged: NDArray[np.float64]  #: fraction of elements with a non-zero gradient that kept their value
    #: 1 where all output units of a weight are the same, and not zero; 0 where they differ; nan for what is no weight
    same_units: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """The ledger of one step."""

    tick: int
    ledger: Ledger


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened once.  ``kind`` names it; ``data`` is JSON."""

    tick: int
    kind: str
    data: dict[str, Any] = field(default_factory=dict)


Row = RunInfo | Ending | ParameterInfo | OptimizerInfo | Step | Exponents | Updates | LedgerRow | Event


class Sink(Protocol):
    """Takes rows from the training thread.  Must return at once and must never raise."""

    def put(self, row: Row) -> None: ...


@dataclass(frozen=True, slots=True)
class Record:
    """A whole run as read back: what ``store.read`` returns and ``diagnose`` and ``show`` work from."""

    info: RunInfo
    ending: Ending | None  #: None: the process was killed, or is still running
    parameters: tuple[ParameterInfo, ...] = ()
    optimizers: tuple[OptimizerInfo, ...] = ()
    steps: tuple[Step, ...] = ()  #: by tick; old ones are thinned out
    exponents: tuple[Exponents, ...] = ()
    updates: tuple[Updates, ...] = ()
    ledgers: tuple[LedgerRow, ...] = ()
    events: tuple[Event, ...] = ()


#: The kinds of :class:`Event`, and the keys of their data.
EVENT_KINDS: dict[str, str] = {
    "non_finite_origin": "direction (forward, backward, parameter or input), op, module, "
    "inputs [{name, low, high, rms, non_finite, dtype}], how (graph, replay or bracket)",
    "scaler_skip": "scale: a gradient scaler held a step back",
    "clip_before_unscale": "scale, limit: gradients were clipped while still multiplied by the scale",
    "step_after_scaler": "optimizer, scale: optimizer.step() was called again after scaler.step(optimizer)",
    "wrong_backward": "function, file, line, input, inputs, relative_error, analytic, numeric, fit, scale, deliberate, "
    "meaning, calls, dtype: a hand-written gradient disagrees with finite differences",
    "gradient_not_cleared": "parameter: its gradient of the last step was still there when the next one was computed",
    "gradient_cleared_before_step": "optimizer: its parameters got a gradient, which was gone when it stepped",
    "gradients_discarded": "count, passes: of so many of the first backward passes the gradients were not finite, and "
    "no step used them",
    "intervention": "change (the cause that it takes away, or nothing), what, where, numbers, shares, loss, first, "
    "last, gradient, decades, losses and pace (of a few steps on copies), of (the tick that was run again)",
    "input_reach": "norms (of the loss's gradient at each position of the input sequence, first position first), of "
    "(the tick that was run again)",
    "pairing": "as_is, swapped, dimensions, shape, module, of: how much the gradient says, in units of what it says "
    "with targets dealt out at random: as it is, and with two dimensions of the prediction swapped before flattening",
    "intervention_abstained": "why: no step could be run again on copies",
    "accidental_outer": "function, left, right, joint (shapes), module: prediction and target make an outer product",
    "autocast": "dtypes: the formats that parts of the forward pass ran in",
    "loss_call": "function, module, options, prediction, target: what a loss was given (shape, range, form, maker)",
    "loss_terms": "terms [{value, factor, reduction, of_inputs, penalty}]: the numbers that the first loss adds up",
    "probabilities": "moved [{sign, known, names [[name, sign]], steady}]: which way the first loss moves each "
    "logarithm of a probability that it adds up, whether it is one of data, and what the script calls its weight",
    "turned_similarity": "what (distance or similarity), module: the logits of a softmax are distances, or "
    "similarities with a minus",
    "split_batches": "passes, module: samples of each label go through this batch normalisation in a pass of their own",
    "script_words": "words: names in the script that say whether what it predicts is wanted (reward, cost)",
    "coarse_state": "optimizer, state, dtype, zero_share: so much of what an optimizer remembers in 16 bits is 0 "
    "where there is a gradient",
    "model_input": "given, dtype, shape, rms, least, largest, whole, offset, spreads: a tensor that the model got "
    "at the first step, or (not given) a constant in float16 or bfloat16",
    "graph_cut": "op, module, enabled (gradients were on), parameters: their values reach the loss through this call, "
    "and no gradient comes back through it",
    "orphan_parameters": "inside (a model's class), parameters, count, elements: read inside a model that does not own "
    "them, and stepped by no optimizer",
    "stepped_while_scaled": "optimizer, scale: optimizer.step() along gradients that a scaler's scale still multiplies",
    "uphill_step": "cosine: the first steps went along the gradient and not against it",
    "baseline": "at (steps taken), seed, probe (seen or new batches), loss, constant, calibrated (None: not known): of "
    "the outputs as they are, of the best constant prediction, of the outputs moved and scaled as a whole",
    "window_ends": "at, seed, lr, speed, curvature, gain, limit, how: what sets both ends of the window",
    "phases": "at, seed and schema.phase.Phases: in which phase of the mean-field theory the layers are",
    "representations": "at, seed and schema.representations.Representations: how alike different inputs are",
    "slope": "at, seed and schema.slope.SlopeCheck: the gradient held against finite differences",
    "headroom": "at, seed, modules [{module, dtype, largest, function, gradient_largest, gradient_typical}]: the "
    "extremes of one batch in float16 and bfloat16 at the initial weights; empty for a model in float32",
    "spectrum": "at, seed, calls [{where, largest, smallest, mean_square, variance, rows, columns, exact, or why not}]:"
    " singular values of the Jacobian from input to output, and of blocks",
    "unmeasured": "at, seed, what, why: a part of a check-up that could not be measured",
    "compiled": "what: a compiled region, whose inside cannot be seen",
    "checkpoint": "activations are recomputed; their values are not read",
    "no_backward": "an optimizer stepped without a backward pass",
    "guard_on": "times (that it may go back): the run is guarded",
    "guard": "act (skip, clip, roll back, buffers, new level, no way back, given up, not read, off), why, count (of "
    "this act so far); clip: norm, usual, z, limit; buffers: buffers, to; roll back: to (tick), rate_factor, left; "
    "new level: loss, rate_factor",
    "capture_failure": "where, error: something inside gradclinic failed; the training went on",
    "cost": "seconds: time spent inside gradclinic so far, on the training thread",
}
