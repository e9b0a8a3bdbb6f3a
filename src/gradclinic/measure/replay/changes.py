"""The one thing that is different when a step is run again.  One function a change; the user's tensors stay."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.optim import Optimizer
from torch.utils._pytree import tree_leaves, tree_map

from .replay import Doing, Edit, Replay
from .roles import Roles
from .tape import Call

#: Data beyond these is worth a test: the stable step falls with the square of a large RMS, the signal with a small one.
LARGE_RMS, SMALL_RMS = 3.0, 0.1
#: Updates of a hundredth of the weights: a lively start of training (1e-3 is usual), at which five steps show.
LIVELY, FASTEST = 1e-2, 1e6
LOW = (torch.float16, torch.bfloat16)


#: Gives the leaves to start from; the edits of the changes that it is combined with are passed on.
Prepare = Callable[[Replay, list[Tensor], Sequence[Edit]], list[Tensor]]


@dataclass(frozen=True)
class Change:
    """What is done otherwise, on the calls, on the leaves before the run, or on the optimizer of a trial."""

    id: str  #: the cause that it takes away
    what: str  #: in words, for the finding
    where: tuple[str, ...] = ()
    edit: Edit | None = None
    prepare: Prepare | None = None
    tune: Callable[[Optimizer], None] | None = None
    precise: bool = False
    trial: bool = True  #: whether a few optimizer steps tell more than one gradient
    numbers: dict[str, float] = field(default_factory=dict)


def changes_for(replay: Replay, optimizer: Optimizer | None, pace: float | None = None) -> list[Change]:
    """The changes that apply to this step, the most telling first; ``pace`` is ‖Δw‖/‖w‖ of one step as it is."""
    roles = Roles(replay.recording, set(replay.parameters))
    found = [
        _activation(roles), _weights(roles), _inputs(replay), _targets(replay, roles), _reduction(replay, roles),
        _output_activation(roles), _normalization(roles), _shortcuts(roles), _precision(replay),
        *(_optimizer_changes(optimizer, pace) if optimizer is not None else ()),
    ]  # fmt: skip
    return [change for change in found if change is not None]


# -- the model ---------------------------------------------------------------------------------------------


def _activation(roles: Roles) -> Change | None:
    calls = roles.flattening
    if not calls:
        return None
    names = sorted({call.name.rstrip("_") for call in calls})
    chosen = {id(call) for call in calls}

    def edit(doing: Doing) -> Any:
        return F.relu(doing.args[0]) if id(doing.call) in chosen else doing.plain()

    unbounded = bool({"exp", "square"} & set(names))
    return Change(
        "unbounded_activation" if unbounded else "saturating_activation",
        f"every hidden {' and '.join(names)} replaced by ReLU", _places(calls), edit,
    )  # fmt: skip


def _weights(roles: Roles) -> Change | None:
    """Each layer's weights scaled so that its output has RMS 1 on this batch (LSUV, Mishkin 2016)."""
    calls = roles.weights
    if len(calls) < 2:
        return None
    layers = {id(call): roles.weight_of(call)[0].place for call in calls if roles.hidden(call)}
    numbers: dict[str, float] = {}

    def prepare(replay: Replay, leaves: list[Tensor], edits: Sequence[Edit]) -> list[Tensor]:
        done: set[int] = set()

        def edit(doing: Doing) -> Any:
            place = layers.get(id(doing.call))
            if place is None or place in done:
                return doing.plain()
            done.add(place)
            out = doing.plain()
            size = float(out.detach().float().square().mean().sqrt())
            if size > 0 and isfinite(size):
                with torch.no_grad():
                    leaves[place].mul_(1 / size)
                numbers.setdefault("first_output_rms", size)
                numbers["last_output_rms"] = size
            return doing.plain()

        replay.run(leaves, (edit, *edits))
        return leaves

    return Change("weight_scale", "the weights of each layer rescaled to an output RMS of 1", _places(calls),
                  prepare=prepare, numbers=numbers)  # fmt: skip


def _normalization(roles: Roles) -> Change | None:
    calls = roles.normalizations
    if not calls:
        return None
    chosen = {id(call) for call in calls}

    def edit(doing: Doing) -> Any:
        return doing.args[0] if id(doing.call) in chosen else doing.plain()

    names = sorted({call.name for call in calls})
    return Change("normalization", f"every {' and '.join(names)} left out", _places(calls), edit)


def _shortcuts(roles: Roles) -> Change | None:
    """h + x in place of h for each hidden activation whose layer keeps the shape."""
    pairs = [(call, roles.layer_before(call)) for call in roles.hidden_activations]
    sources = {id(call): layer.args[0] for call, layer in pairs if layer is not None and layer.args}
    if len(sources) < 4:  # three layers or fewer need no shortcut
        return None

    def edit(doing: Doing) -> Any:
        out, source = doing.plain(), sources.get(id(doing.call))
        if source is None:
            return out
        x = doing.value(source)
        return out + x if x.shape == out.shape else out

    return Change("missing_shortcut", "a shortcut added around each hidden layer that keeps its shape",
                  _places([call for call, _ in pairs]), edit)  # fmt: skip


def _output_activation(roles: Roles) -> Change | None:
    call = roles.output_activation
    if call is None or not roles.weights:
        return None

    def edit(doing: Doing) -> Any:
        return doing.args[0] if doing.call is call else doing.plain()

    return Change("output_activation", f"the {call.name} on the output left out", _places([call]), edit)


# -- data and loss -----------------------------------------------------------------------------------------


def _inputs(replay: Replay) -> Change | None:
    places = [p for p in replay.recording.inputs if _unscaled(replay.kept[p])]
    return _standardised("input_scale", "the inputs standardised", places, replay)


def _targets(replay: Replay, roles: Roles) -> Change | None:
    places = [p for p in roles.targets if _unscaled(replay.kept[p])]
    return _standardised("target_scale", "the targets standardised", places, replay)


def _standardised(id: str, what: str, places: Sequence[int], replay: Replay) -> Change | None:
    if not places:
        return None

    def prepare(_: Replay, leaves: list[Tensor], __: Sequence[Edit]) -> list[Tensor]:
        for place in places:
            x = leaves[place].float()
            over = tuple(range(x.dim())) if x.dim() != 2 else (0,)
            spread = x.std(over, correction=0, keepdim=True)
            leaves[place] = ((x - x.mean(over, keepdim=True)) / torch.where(spread > 0, spread, 1.0)).to(
                leaves[place].dtype
            )
        return leaves

    rms = max(float(replay.kept[p].float().square().mean().sqrt()) for p in places)
    return Change(id, what, prepare=prepare, numbers={"rms": rms})


def _unscaled(tensor: Tensor) -> bool:
    if not tensor.is_floating_point() or tensor.numel() < 2 or tensor.is_sparse:
        return False
    values = tensor.float()
    rms, spread = float(values.square().mean().sqrt()), float(values.std(correction=0))
    aside = 0 < LARGE_RMS * spread <= abs(float(values.mean()))  # most of each value is what all of them share
    return rms >= LARGE_RMS or 0 < rms <= SMALL_RMS or aside


def _reduction(replay: Replay, roles: Roles) -> Change | None:
    """The loss over the number of samples: a sum becomes a mean."""
    if not roles.weights or replay.recording.loss is None:
        return None
    first = next((replay.kept[p] for p in replay.recording.inputs if replay.kept[p].dim() > 0), None)
    if first is None or first.shape[0] < 2:
        return None
    count, index = first.shape[0], replay.recording.loss.index

    def edit(doing: Doing) -> Any:
        out = doing.plain()
        return out / count if index in doing.call.outputs and isinstance(out, Tensor) else out

    return Change("loss_reduction", f"the loss divided by the {count} samples of the batch", edit=edit)


def _precision(replay: Replay) -> Change | None:
    low = any(call.autocast is not None for call in replay.recording.calls)
    low = low or any(leaf.dtype in LOW for leaf in replay.kept)
    low = low or any(call.name in ("half", "bfloat16") for call in replay.recording.calls)
    if not low:
        return None

    numbers: dict[str, float] = {}

    def notice(doing: Doing) -> Any:
        out = doing.plain()
        if any(isinstance(x, Tensor) and x.dtype in LOW and not x.isfinite().all() for x in tree_leaves(out)):
            numbers["overflowed_calls"] = numbers.get("overflowed_calls", 0) + 1
        return out

    def prepare(replay: Replay, leaves: list[Tensor], _: Sequence[Edit]) -> list[Tensor]:
        if not numbers:  # as it is, once: what leaves the format's range
            numbers["overflowed_calls"] = 0
            replay.run(replay.copies(), (notice,))
        return [x.detach().float().requires_grad_(x.requires_grad) if x.dtype in LOW else x for x in leaves]

    def edit(doing: Doing) -> Any:
        if doing.call.name in ("half", "bfloat16"):
            return doing.args[0]
        doing.args = tree_map(_raised, doing.args)
        doing.kwargs = tree_map(_raised, doing.kwargs)
        return doing.plain()

    return Change("precision", "the same step in float32", edit=edit, prepare=prepare, precise=True,
                  numbers=numbers)  # fmt: skip


def _raised(item: Any) -> Any:
    return torch.float32 if item in LOW and isinstance(item, torch.dtype) else item


# -- the optimizer -----------------------------------------------------------------------------------------


def _optimizer_changes(optimizer: Optimizer, pace: float | None) -> list[Change | None]:
    group = optimizer.param_groups[0]
    rate = group.get("lr")
    found: list[Change | None] = []
    if isinstance(rate, (int, float)) and rate > 0:
        faster = min(max(LIVELY / pace, 10.0), FASTEST) if pace else 10.0
        found += [
            Change("learning_rate_high", "a tenth of the learning rate", tune=_scaled("lr", 0.1)),
            Change("learning_rate_low", f"{faster:.3g} times the learning rate", tune=_scaled("lr", faster)),
        ]
    if group.get("eps", 0) and type(optimizer).__name__ in ("Adam", "AdamW", "RMSprop", "NAdam", "RAdam", "Adamax"):
        eps = float(group["eps"])
        if not 1e-9 < eps < 1e-7:
            found.append(Change("optimizer_epsilon", f"eps 1e-8 in place of {eps:g}", tune=_set("eps", 1e-8)))
    if group.get("weight_decay", 0):
        found.append(Change("weight_decay_high", "without weight decay", tune=_set("weight_decay", 0.0)))
    return found


def _scaled(key: str, factor: float) -> Callable[[Optimizer], None]:
    def tune(optimizer: Optimizer) -> None:
        for group in optimizer.param_groups:
            group[key] = group[key] * factor

    return tune


def _set(key: str, value: float) -> Callable[[Optimizer], None]:
    def tune(optimizer: Optimizer) -> None:
        for group in optimizer.param_groups:
            group[key] = value

    return tune


def _places(calls: Sequence[Call]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(call.module or call.name for call in calls))
