"""What a call of a torch function is to the theory."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import prod
from numbers import Number
from typing import Any, Final

from torch import Tensor

from .names import Arguments, argument, named
from .padding import windows
from .parts import Nonlinearity, Normalization, Part, Pooling, Product, Rearrangement, Scale, Sum
from .weights import weights, wide

#: The path of the layer that owns a weight.
Owner = Callable[[Tensor], str]

_REARRANGEMENTS: Final = frozenset(
    "view view_as reshape reshape_as flatten unflatten ravel permute transpose swapaxes swapdims movedim t __get__ "
    "contiguous clone detach to type type_as float double half bfloat16 cpu cuda squeeze unsqueeze expand expand_as "
    "__getitem__ select narrow chunk split unbind tensor_split flip roll alias pad pixel_shuffle".split()
)
_DROPOUTS: Final = frozenset("dropout dropout_ dropout1d dropout2d dropout3d feature_dropout alpha_dropout".split())
_POOLS: Final = ("max_pool", "avg_pool", "lp_pool", "fractional_max_pool")
_RESIZES: Final = frozenset(("interpolate", "upsample", "grid_sample"))
#: torch's names, and the place of the scale among their arguments.
_NORMALIZATIONS: Final = {
    "layer_norm": 2,
    "rms_norm": 2,
    "group_norm": 2,
    "instance_norm": 3,
    "batch_norm": 3,
}


def read(op: str, args: Arguments, kwargs: Mapping[str, Any], result: Tensor, owner: Owner) -> Part | None:
    """The part that the call ``op(*args, **kwargs)`` plays, None where the theory knows none."""
    if op == "linear":
        weight = argument(args, kwargs, 1, "weight")
        return Product(owner(weight), weights(weight, argument(args, kwargs, 2, "bias")))
    if op in ("conv1d", "conv2d", "conv3d"):
        return _convolution(int(op[4]), args, kwargs, result, owner)
    if op in _NORMALIZATIONS:
        return _normalization(op, args, kwargs)
    if op in _DROPOUTS:
        p = float(argument(args, kwargs, 1, "p", 0.5))
        if not argument(args, kwargs, 2, "training", True) or p == 0:
            return Rearrangement()
        return Scale(1 / (1 - p) if p < 1 else 0.0, note=f"dropout {p:g}, counted as larger weights")
    if op in _REARRANGEMENTS:
        return Rearrangement()
    if op.startswith(_POOLS) or op in _RESIZES:
        return Pooling(whole=False)
    if op.startswith("adaptive_") or op in ("mean", "sum", "amax"):
        return Pooling(whole=True)
    if op in ("add", "add_", "__radd__", "__add__", "__iadd__"):
        # A third factor, torch.add(x, y, alpha=...), would scale one of them.
        return Sum() if argument((), kwargs, 0, "alpha", 1) == 1 else None
    if op in ("mul", "mul_", "div", "div_", "true_divide", "multiply"):
        return _scale(op, args)
    activation = named(op, args, kwargs)
    return Nonlinearity(activation) if activation is not None else None


def product_of_matrices(weight: Tensor, owner: Owner) -> Product:
    """The part of ``x @ weight`` for a weight (in, out)."""
    return Product(owner(weight), weights(weight.transpose(-1, -2), None))


def _convolution(
    dimensions: int, args: Arguments, kwargs: Mapping[str, Any], result: Tensor, owner: Owner
) -> Product | None:
    signal, weight = argument(args, kwargs, 0, "input"), argument(args, kwargs, 1, "weight")
    groups = int(argument(args, kwargs, 6, "groups", 1))

    def each(place: int, name: str, default: int) -> Any:
        value = argument(args, kwargs, place, name, default)
        if isinstance(value, str):
            return value
        numbers = [value] if isinstance(value, int) else list(value)
        return numbers * dimensions if len(numbers) == 1 else numbers

    seen = windows(
        signal.shape[-dimensions:],
        weight.shape[2:],
        each(3, "stride", 1),
        each(4, "padding", 0),
        each(5, "dilation", 1),
        result.shape[-dimensions:],
    )
    return Product(owner(weight), weights(weight, argument(args, kwargs, 2, "bias"), groups), seen)


def _normalization(op: str, args: Arguments, kwargs: Mapping[str, Any]) -> Normalization | Scale:
    place = _NORMALIZATIONS[op]
    weight, bias = argument(args, kwargs, place, "weight"), argument(args, kwargs, place + 1, "bias")
    gain = float(wide(weight).square().mean()) if isinstance(weight, Tensor) else 1.0
    shift = float(wide(bias).square().mean()) if isinstance(bias, Tensor) else 0.0
    signal = argument(args, kwargs, 0, "input")
    running = argument(args, kwargs, 2, "running_var")
    if op == "batch_norm" and not argument(args, kwargs, 5, "training", False):
        # Statistics that were fixed long ago: a factor and an offset for each channel, and no more.
        scale = (wide(weight).square() if isinstance(weight, Tensor) else 1.0) / (wide(running) + 1e-5)
        return Scale(float(scale.mean()), shift, "batch_norm by its running statistics: a fixed factor")
    channels = signal.shape[1] if op == "batch_norm" else 1
    return Normalization(op, gain, shift, prod(signal.shape) // max(1, channels))


def _scale(op: str, args: Arguments) -> Scale | None:
    """A factor that is a number, or a parameter with one for each channel."""
    if len(args) < 2:
        return None
    factor = args[1] if isinstance(args[0], Tensor) else args[0]
    if isinstance(factor, Number) and not isinstance(factor, complex):
        value = float(factor)  # type: ignore[arg-type]
        square = value**2
        if not op.startswith(("mul",)):
            square = 1 / square if square else 0.0
        return Scale(square)
    return None
