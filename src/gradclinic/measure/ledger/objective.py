"""What the loss shows of the objective: targets, the best constant prediction, a broadcast nobody wanted."""

from __future__ import annotations

from math import sqrt

import torch
from torch import Tensor
from torch.nn import functional as F

from gradclinic.schema.ledger import Objective

from .evaluate import evaluate
from .forward import Values
from .graph import Graph, Op
from .kinds import LOSSES
from .saved import SavedReader


def read_objective(graph: Graph, values: Values, reader: SavedReader) -> tuple[Objective, Op] | None:
    """From the first loss operation that is known, else from a difference written out by hand; None without either.

    With the operation whose output is the error itself.
    """
    losses = [op for op in graph.ops if op.reached and op.loss]
    named = next((op for op in losses if op.name in LOSSES), None)
    broadcast = _broadcast(losses)
    if named is not None:
        return _named(named, values, reader, broadcast), named
    soft = next((op for op in losses if op.name == "LogSoftmax"), None)
    if soft is not None:
        return Objective("LogSoftmax", prediction_shape=_shape(soft), classes=_classes(soft, reader)), soft
    return _by_hand(losses, values, reader, broadcast)


def _named(op: Op, values: Values, reader: SavedReader, broadcast: Broadcast | None) -> Objective:
    target = reader.tensor(op.node, "target")
    prediction = values.operand(op, 0)
    scale = _scale(op, reader)
    constant, classes = None, None
    if target is not None and op.name.startswith("NllLoss"):
        constant, counted = _entropy(target, int(reader.raw(op.node, "ignore_index") or -100))
        constant = None if constant is None else constant * (counted if scale == "sum" else 1)
        classes = prediction.shape[1 if prediction.dim() > 1 else 0] if prediction is not None else None
    elif target is not None and target.numel() and bool(torch.isfinite(target).all()):
        constant = _constant(op, target, reader)
        constant = constant * target.numel() if constant is not None and scale == "sum" else constant
    float_target = target if target is not None and target.is_floating_point() else None
    return Objective(
        op=op.name,
        prediction_shape=broadcast[0] if broadcast else tuple(prediction.shape) if prediction is not None else None,
        target_shape=broadcast[1] if broadcast else tuple(target.shape) if target is not None else None,
        constant_loss=constant,
        classes=classes,
        broadcast=broadcast,
        prediction_rms=_rms(prediction),
        target_rms=_rms(float_target),
        target_mean=float(float_target.double().mean()) if float_target is not None and float_target.numel() else None,
        value=_own_value(op, prediction, target, reader) if constant is not None else None,
        alone=_alone(op),
        outputs=_outputs(prediction, float_target) if op.name in _DISTANCES else (),
    )


#: Losses that compare numbers with numbers.
_DISTANCES = ("MseLoss", "L1Loss", "HuberLoss", "SmoothL1Loss")
#: More outputs than these are an image, a sequence or classes, whose columns are of one kind.
FEW_OUTPUTS = 16


def _outputs(prediction: Tensor | None, target: Tensor | None) -> tuple[tuple[float, float], ...]:
    """Variance and mean squared error of each column, where both are (samples, few outputs)."""
    if prediction is None or target is None or prediction.shape != target.shape or target.dim() != 2:
        return ()
    if not 2 <= target.shape[1] <= FEW_OUTPUTS:
        return ()
    wanted, guess = target.double(), prediction.detach().double()
    errors = (guess - wanted).square().mean(0)
    if not bool(torch.isfinite(errors).all()):
        return ()
    return tuple(zip(wanted.var(0, correction=0).tolist(), errors.tolist(), strict=True))


def _own_value(op: Op, prediction: Tensor | None, target: Tensor | None, reader: SavedReader) -> float | None:
    """The loss that this operation gave, computed again from what it saved."""
    if prediction is None or target is None or reader.raw(op.node, "weight") is not None:
        return None
    reduction = "sum" if _scale(op, reader) == "sum" else "mean"
    guess = prediction.detach().double()
    if op.name.startswith("NllLoss"):
        ignore = int(reader.raw(op.node, "ignore_index") or -100)
        ignore = ignore if ignore < 2**63 else ignore - 2**64
        return float(F.nll_loss(guess, target, ignore_index=ignore, reduction=reduction))
    wanted = target.double()
    if op.name == "MseLoss":
        return float(F.mse_loss(guess, wanted, reduction=reduction))
    if op.name == "HuberLoss":
        return float(F.huber_loss(guess, wanted, reduction=reduction, delta=float(reader.raw(op.node, "delta"))))
    if op.name == "SmoothL1Loss":
        return float(F.smooth_l1_loss(guess, wanted, reduction=reduction, beta=float(reader.raw(op.node, "beta"))))
    if op.name == "BinaryCrossEntropy":
        return float(F.binary_cross_entropy(guess, wanted, reduction=reduction))
    if op.name == "BinaryCrossEntropyWithLogits":
        return float(F.binary_cross_entropy_with_logits(guess, wanted, reduction=reduction))
    return None


def _alone(op: Op) -> bool:
    """Whether nothing but factors stands between this operation and the loss."""
    while op.users:
        if len(op.users) > 1:
            return False
        op = op.users[0][0]
        if sum(edge is not None for edge in op.edges) > 1:
            return False
    return True


Broadcast = tuple[tuple[int, ...], tuple[int, ...]]


def _scale(op: Op, reader: SavedReader) -> str:
    reduction = reader.raw(op.node, "reduction")
    return ("none", "mean", "sum")[reduction] if reduction in (0, 1, 2) else "mean"


def _entropy(target: Tensor, ignore: int) -> tuple[float | None, int]:
    """(entropy of the class frequencies in nats, number of labels that count): the loss of the best constant."""
    labels = target.reshape(-1)
    labels = labels[labels != (ignore if ignore < 2**63 else ignore - 2**64)]
    count = labels.numel()
    if count == 0:
        return None, 0
    frequencies = torch.unique(labels, return_counts=True)[1].double() / count
    return float(torch.special.entr(frequencies).sum()), count


def _constant(op: Op, target: Tensor, reader: SavedReader) -> float | None:
    """Mean loss of the best constant: per output (the last dimension of a target of two or more)."""
    flat = target.double().reshape(-1, target.shape[-1] if target.dim() > 1 else 1)
    if op.name == "MseLoss":
        return float(flat.var(0, correction=0).mean())
    if op.name == "L1Loss":
        return _absolute_deviation(flat)
    if op.name == "HuberLoss":
        delta = float(reader.raw(op.node, "delta"))
        distance = flat - _huber_centre(flat, delta)
        return float(torch.nn.functional.huber_loss(distance, torch.zeros_like(distance), delta=delta))
    if op.name == "SmoothL1Loss":
        beta = float(reader.raw(op.node, "beta"))
        distance = flat - _huber_centre(flat, beta)
        return float(torch.nn.functional.smooth_l1_loss(distance, torch.zeros_like(distance), beta=beta))
    if op.name.startswith("BinaryCrossEntropy") and reader.raw(op.node, "weight") is None:
        mean = flat.mean(0).clamp(0, 1)
        return float((torch.special.entr(mean) + torch.special.entr(1 - mean)).mean())
    return None


def _absolute_deviation(flat: Tensor) -> float:
    return float((flat - flat.median(0).values).abs().mean())


def _huber_centre(flat: Tensor, width: float) -> Tensor:
    """The constant with the least Huber loss, per column: descent with the largest curvature's step, which is 1."""
    centre = flat.median(0).values
    for _ in range(50):
        centre = centre + (flat - centre).clamp(-width, width).mean(0)
    return centre


def _shape(op: Op, output: int = 0) -> tuple[int, ...] | None:
    return op.shapes[output] if output < len(op.shapes) else None


def _classes(op: Op, reader: SavedReader) -> int | None:
    shape, dim = _shape(op), reader.raw(op.node, "dim")
    if not shape or not isinstance(dim, int):
        return None
    return shape[dim - 2**64 if dim >= 2**63 else dim]


def _outer(left: tuple[int, ...], result: tuple[int, ...]) -> tuple[int, ...] | None:
    """The other operand's shape when ``left`` and it spread into ``result`` as an outer product of equal lengths."""
    if len(result) < 2 or result[-1] != result[-2] or result[-1] < 2:
        return None
    n = result[-1]
    if left[-2:] == (n, 1) and len(left) == len(result):
        return (n,)
    if left == (n,) or left[-2:] == (1, n):
        return (n, 1)
    return None


def _broadcast(losses: list[Op]) -> Broadcast | None:
    """(prediction, target) shapes of an outer product in the loss: (N, 1) against (N,) gives (N, N).

    Functional losses expand their operands first; a hand-written difference spreads within the operation.
    """
    for op in losses:
        spreads = op.name == "Expand" or (op.name in ("Sub", "Mul", "Add", "Rsub") and len(op.edges) == 2)
        result = _shape(op)
        if not spreads or not result:
            continue
        for position in op.signal:
            edge = op.edges[position]
            below = _shape(edge[0], edge[1]) if isinstance(edge, tuple) else None
            if below and below != result and (op.name == "Expand" or op.edges[1 - position] is None):
                other = _outer(below, result)
                if other is not None:
                    return below, other
    return None


def _by_hand(
    losses: list[Op], values: Values, reader: SavedReader, broadcast: Broadcast | None
) -> tuple[Objective, Op] | None:
    """((prediction - target) ** 2).mean() and its kin: a power or a magnitude of a difference with a constant."""
    for op in losses:
        if (
            op.name not in ("Sub", "Rsub")
            or not op.signal
            or (len(op.edges) > 1 and op.edges[1 - op.signal[0]] is not None)
        ):
            continue
        power = _magnitude(op)
        difference = values.output(op)
        if power is None:
            continue
        edge = op.edges[op.signal[0]]
        below = edge[0] if isinstance(edge, tuple) else None
        prediction = _value(below, values, reader) if below is not None else None
        target, constant, value = None, None, None
        if prediction is not None and difference is not None and broadcast is None:
            first = op.name == "Sub" and op.signal[0] == 0
            target = (prediction - difference) if first else (prediction + difference)
            flat = target.double().reshape(-1, target.shape[-1] if target.dim() > 1 else 1)
            if bool(torch.isfinite(flat).all()):
                absolute = power.name == "Abs"
                constant = _absolute_deviation(flat) if absolute else float(flat.var(0, correction=0).mean())
                errors = difference.double()
                value = float(errors.abs().mean() if absolute else errors.square().mean())
        shape = _shape(below) if below is not None else None
        objective = Objective(
            op=f"{op.name} {power.name}",
            prediction_shape=shape,
            target_shape=broadcast[1] if broadcast else tuple(target.shape) if target is not None else None,
            constant_loss=constant,
            broadcast=broadcast,
            prediction_rms=_rms(prediction),
            target_rms=_rms(target),
            target_mean=float(target.double().mean()) if target is not None and target.numel() else None,
            value=value,
            alone=_alone(op),
            outputs=_outputs(prediction, target) if broadcast is None else (),
        )
        return objective, power
    return None


def _magnitude(op: Op) -> Op | None:
    """The power or magnitude of a difference, which may be divided by a constant first (a likelihood's width)."""
    for user, _ in op.users:
        if user.name in ("Pow", "Abs", "LinalgVectorNorm") or (user.name == "Mul" and len(op.users) > 1):
            return user
        if user.name in ("Div", "Mul") and sum(edge is not None for edge in user.edges) == 1:
            found = _magnitude(user)
            if found is not None:
                return found
    return next((user for user, _ in op.users if user.name == "Mul"), None)


def _value(op: Op, values: Values, reader: SavedReader) -> Tensor | None:
    """The output of an operation: as saved, or computed again from what it saved."""
    found = values.output(op)
    if found is not None:
        return found
    inputs: list[Tensor | None] = []
    for position, edge in enumerate(op.edges):
        value = values.operand(op, position)
        if value is None and isinstance(edge, tuple):
            value = values.output(edge[0], edge[1])
            if value is None and len(op.edges) == 1:
                value = _value(edge[0], values, reader)
        inputs.append(value)
    return evaluate(op, inputs, lambda name: reader.raw(op.node, name))


def _rms(tensor: Tensor | None) -> float | None:
    if tensor is None or not tensor.is_floating_point() or tensor.numel() == 0:
        return None
    finite = tensor[torch.isfinite(tensor)].double()
    return sqrt(float(finite.square().mean())) if finite.numel() else None
