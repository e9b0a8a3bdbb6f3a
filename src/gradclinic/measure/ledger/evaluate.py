"""Computes an operation again from its inputs: one table from autograd's names to torch functions.

Used on samples of a batch, and after a failure to find where a number was lost; never on the way of a
healthy step.  Everything runs without gradients and takes no random numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import torch
from torch import Tensor
from torch.nn import functional as F

from .graph import Op

Get = Callable[[str], Any]  #: a saved value of the node by name
Function = Callable[[list[Any], Get], Tensor]


def _dims(value: Any) -> Any:
    """Saved dimensions come as unsigned numbers: -1 is 2**64 - 1."""
    if isinstance(value, (tuple, list)):
        return tuple(_dims(item) for item in value)
    return value - 2**64 if isinstance(value, int) and value >= 2**63 else value


def _both(function: Callable[..., Tensor], saved: str) -> Function:
    """An operation with a tensor or a scalar on its right: a scalar is no edge but a saved value."""
    return lambda x, get: function(x[0], x[1] if len(x) > 1 else get(saved))


def _reduced(function: Callable[..., Tensor]) -> Function:
    def evaluate(x: list[Any], get: Get) -> Tensor:
        dim = get("dim")
        if dim is None or dim == () or dim == []:
            return function(x[0])
        return function(x[0], _dims(dim), keepdim=bool(get("keepdim")))

    return evaluate


def _spread(function: Callable[..., Tensor]) -> Function:
    def evaluate(x: list[Any], get: Get) -> Tensor:
        correction = get("correction")
        dim = get("dim")
        dims = _dims(dim) if dim is not None and len(dim) else tuple(range(x[0].dim()))
        return function(x[0], dims, correction=1 if correction is None else correction, keepdim=bool(get("keepdim")))

    return evaluate


def _norm(x: list[Any], get: Get) -> Tensor:
    order = get("p") if get("p") is not None else get("ord")
    dim = get("dim")
    dims = _dims(dim) if dim is not None and len(dim) else None
    result: Tensor = torch.linalg.vector_norm(x[0], 2 if order is None else order, dims, bool(get("keepdim")))
    return result


def _clamp(x: list[Any], get: Get) -> Tensor:
    return torch.clamp(x[0], get("min"), get("max"))


def _gelu(x: list[Any], get: Get) -> Tensor:
    return F.gelu(x[0], approximate=get("approximate") or "none")


def _alpha(get: Get) -> Any:
    alpha = get("alpha")
    return 1 if alpha is None else alpha


def _addmm(x: list[Any], get: Get) -> Tensor:
    return torch.addmm(x[0], x[1], x[2], beta=get("beta"), alpha=get("alpha"))


def _convolution(x: list[Any], get: Get) -> Tensor:
    return torch.convolution(
        x[0], x[1], x[2], get("stride"), get("padding"), get("dilation"),
        bool(get("transposed")), get("output_padding"), get("groups"),
    )  # fmt: skip


def _layer_norm(x: list[Any], get: Get) -> Tensor:
    shaped: Tensor = (x[0] - get("result1")) * get("result2")
    shaped = shaped if x[1] is None else shaped * x[1]
    return shaped if x[2] is None else shaped + x[2]


def _batch_norm(x: list[Any], get: Get) -> Tensor:
    if get("training"):
        return F.batch_norm(x[0], None, None, x[1], x[2], True, 0.0, get("eps"))
    return F.batch_norm(x[0], get("running_mean"), get("running_var"), x[1], x[2], False, 0.0, get("eps"))


def _reduction(get: Get) -> str:
    return ("none", "mean", "sum")[int(get("reduction"))]


def _nll(x: list[Any], get: Get) -> Tensor:
    ignore = _dims(get("ignore_index"))
    return F.nll_loss(x[0], get("target"), get("weight"), ignore_index=ignore, reduction=_reduction(get))


#: Operations by autograd's name.  A list entry of None among the inputs is an input that is not known;
#: a function that needs it fails, and then the output is not known either.
TABLE: Final[dict[str, Function]] = {
    # elementwise, one input
    "Log": lambda x, _: x[0].log(),
    "Log2": lambda x, _: x[0].log2(),
    "Log10": lambda x, _: x[0].log10(),
    "Log1P": lambda x, _: x[0].log1p(),
    "Exp": lambda x, _: x[0].exp(),
    "Exp2": lambda x, _: x[0].exp2(),
    "Expm1": lambda x, _: x[0].expm1(),
    "Sqrt": lambda x, _: x[0].sqrt(),
    "Rsqrt": lambda x, _: x[0].rsqrt(),
    "Reciprocal": lambda x, _: x[0].reciprocal(),
    "Neg": lambda x, _: -x[0],
    "Abs": lambda x, _: x[0].abs(),
    "Asin": lambda x, _: x[0].asin(),
    "Acos": lambda x, _: x[0].acos(),
    "Acosh": lambda x, _: x[0].acosh(),
    "Atanh": lambda x, _: x[0].atanh(),
    "Sin": lambda x, _: x[0].sin(),
    "Cos": lambda x, _: x[0].cos(),
    "Tan": lambda x, _: x[0].tan(),
    "Sinh": lambda x, _: x[0].sinh(),
    "Cosh": lambda x, _: x[0].cosh(),
    "Lgamma": lambda x, _: x[0].lgamma(),
    # activations
    "Relu": lambda x, _: x[0].relu(),
    "Sigmoid": lambda x, _: x[0].sigmoid(),
    "Tanh": lambda x, _: x[0].tanh(),
    "Erf": lambda x, _: x[0].erf(),
    "Gelu": _gelu,
    "Silu": lambda x, _: F.silu(x[0]),
    "Mish": lambda x, _: F.mish(x[0]),
    "Hardswish": lambda x, _: F.hardswish(x[0]),
    "Hardsigmoid": lambda x, _: F.hardsigmoid(x[0]),
    "Hardtanh": lambda x, get: F.hardtanh(x[0], get("min_val"), get("max_val")),
    "LeakyRelu": lambda x, get: F.leaky_relu(x[0], get("negative_slope")),
    "Elu": lambda x, get: F.elu(x[0] * get("input_scale"), get("alpha")) * get("scale"),
    "Celu": lambda x, get: F.celu(x[0], get("alpha")),
    "Softplus": lambda x, get: F.softplus(x[0], get("beta"), get("threshold")),
    "LogSigmoid": lambda x, _: F.logsigmoid(x[0]),
    "Hardshrink": lambda x, get: F.hardshrink(x[0], get("lambd")),
    "Softshrink": lambda x, get: F.softshrink(x[0], get("lambd")),
    "Threshold": lambda x, get: torch.where(x[0] > get("threshold"), x[0], 0),
    "PreluKernel": lambda x, _: torch.where(x[0] > 0, x[0], x[0] * x[1]),
    "Glu": lambda x, get: F.glu(x[0], _dims(get("dim"))),
    "Clamp": _clamp,
    "ClampMin": _clamp,
    "ClampMax": _clamp,
    "Softmax": lambda x, get: x[0].softmax(_dims(get("dim"))),
    "LogSoftmax": lambda x, get: x[0].log_softmax(_dims(get("dim"))),
    "Logsumexp": lambda x, get: x[0].logsumexp(_dims(get("dim")), bool(get("keepdim"))),
    # elementwise, two inputs
    "Add": lambda x, get: torch.add(x[0], x[1], alpha=_alpha(get)),
    "Sub": lambda x, get: torch.sub(x[0], x[1], alpha=_alpha(get)),
    "Mul": _both(torch.mul, "other"),
    "Div": _both(torch.div, "other"),
    "Pow": _both(torch.pow, "exponent"),
    "Maximum": lambda x, _: torch.maximum(x[0], x[1]),
    "Minimum": lambda x, _: torch.minimum(x[0], x[1]),
    "Atan2": lambda x, _: torch.atan2(x[0], x[1]),
    # reductions
    "Sum": _reduced(torch.sum),
    "Mean": _reduced(torch.mean),
    "Prod": _reduced(torch.prod),
    "Std": _spread(torch.std),
    "Var": _spread(torch.var),
    "Norm": _norm,
    "LinalgVectorNorm": _norm,
    # products
    "Addmm": _addmm,
    "Mm": lambda x, _: x[0] @ x[1],
    "Bmm": lambda x, _: x[0] @ x[1],
    "Mv": lambda x, _: x[0] @ x[1],
    "Dot": lambda x, _: torch.dot(x[0], x[1]),
    "Baddbmm": lambda x, get: torch.baddbmm(x[0], x[1], x[2], beta=get("beta"), alpha=get("alpha")),
    "Convolution": _convolution,
    "NativeLayerNorm": _layer_norm,
    "NativeBatchNorm": _batch_norm,
    # shapes
    "T": lambda x, _: x[0].t(),
    "Transpose": lambda x, get: x[0].transpose(_dims(get("dim0")), _dims(get("dim1"))),
    "Permute": lambda x, get: x[0].permute(_dims(get("dims"))),
    "Unsqueeze": lambda x, get: x[0].unsqueeze(_dims(get("dim"))),
    "Squeeze": lambda x, get: x[0].squeeze() if get("dim") is None else x[0].squeeze(_dims(get("dim"))),
    "Clone": lambda x, _: x[0],
    "Alias": lambda x, _: x[0],
    "Select": lambda x, get: x[0].select(_dims(get("dim")), _dims(get("index"))),
    "Cat": lambda x, get: torch.cat(x, _dims(get("dim"))),
    "Stack": lambda x, get: torch.stack(x, _dims(get("dim"))),
    "Where": lambda x, get: torch.where(get("condition"), x[0], x[1]),
    # losses
    "NllLoss": _nll,
    "NllLoss2D": _nll,
    "MseLoss": lambda x, get: F.mse_loss(x[0], x[1], reduction=_reduction(get)),
    "L1Loss": lambda x, get: F.l1_loss(x[0], x[1], reduction=_reduction(get)),
    "SmoothL1Loss": lambda x, get: F.smooth_l1_loss(x[0], x[1], reduction=_reduction(get), beta=get("beta")),
    "HuberLoss": lambda x, get: F.huber_loss(x[0], x[1], reduction=_reduction(get), delta=get("delta")),
    "BinaryCrossEntropyWithLogits": lambda x, get: F.binary_cross_entropy_with_logits(
        x[0], x[1], get("weight"), reduction=_reduction(get), pos_weight=get("pos_weight")
    ),
    "BinaryCrossEntropy": lambda x, get: F.binary_cross_entropy(x[0], x[1], get("weight"), reduction=_reduction(get)),
}  # fmt: skip

#: Operations whose output has the shape in the node's metadata and the elements of the input.
_RESHAPES: Final = frozenset({"View", "UnsafeView", "ReshapeAlias", "Reshape", "Expand"})

#: Casts; the output's dtype is in the node's metadata.
_CASTS: Final = frozenset({"ToCopy", "To"})


def evaluate(op: Op, inputs: list[Any], get: Get) -> Tensor | None:
    """The output of an operation with one output, from its inputs by edge (None: not known).

    Returns None where the operation is not in the table, an input that it needs is missing, or it fails.
    """
    try:
        with torch.no_grad(), torch.autocast("cpu", enabled=False), torch.autocast("cuda", enabled=False):
            function = TABLE.get(op.name)
            if function is not None:
                return function(inputs, get)
            first: Tensor = inputs[0]
            if op.name in _CASTS:
                return first.to(op.node._input_metadata[0].dtype)
            if op.name in _RESHAPES:
                return first.expand(op.shapes[0]) if op.name == "Expand" else first.reshape(op.shapes[0])
            return None
    except Exception:
        return None
