"""Whether a report names the operation and the module that made the first value that is not finite."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .index import Origin

#: What autograd calls the functions that people write, where it is not the same name.  A function that is made of
#: several operations is right by any of them: the index names what the script says, the report what torch ran.
_RUN_AS = {
    "linear": "addmm mm bmm baddbmm mkldnnlinear addmmactivation",
    "matmul": "mm bmm mv dot addmm baddbmm",
    "bmm": "baddbmm",
    "einsum": "bmm mm mul sum",
    "conv1d": "convolution",
    "conv2d": "convolution mkldnnconvolution thnnconv",
    "conv3d": "convolution",
    "convtranspose": "convolution",
    "crossentropy": "nllloss logsoftmax crossentropyloss",
    "nllloss": "crossentropyloss",
    "softmax": "safesoftmax",
    "scaleddotproductattention": "softmax safesoftmax scaleddotproductflashattentionforcpu bmm",
    "layernorm": "nativelayernorm",
    "batchnorm": "nativebatchnorm cudnnbatchnorm",
    "groupnorm": "nativegroupnorm",
    "bcewithlogits": "binarycrossentropywithlogits",
    "binarycrossentropywithlogits": "bcewithlogits",
    "norm": "linalgvectornorm sqrt",
    "cosinesimilarity": "div linalgvectornorm norm clampmin sum",
    "normalize": "div linalgvectornorm norm",
    "square": "pow",
    "mseloss": "pow",
    "truedivide": "div",
    "rsub": "sub",
    "std": "var sqrt stdmean",
    "ctcloss": "cudnnctcloss",
    "rnn": "tanh addmm mkldnnrnnlayer cudnnrnn",
    "gru": "addmm sigmoid tanh mul add mkldnnrnnlayer cudnnrnn",
    "lstm": "addmm sigmoid tanh mul add mkldnnrnnlayer cudnnrnn",
    "embedding": "embeddingbag",
}


@dataclass(frozen=True, slots=True)
class Named:
    """What a report names as the origin."""

    operation: str
    module: str
    direction: str

    def __str__(self) -> str:
        words = [self.operation or "no operation", self.module and f"in {self.module}", self.direction]
        return " ".join(filter(None, words))


def named_origin(report: dict[str, Any]) -> Named | None:
    """The origin that a report's non-finite finding names, also where it is only a consequence of the first finding."""
    for finding in report["findings"]:
        if finding["condition"] == "non_finite":
            operation, module, direction = (str(finding["evidence"].get(k, "")) for k in ("op", "module", "direction"))
            return Named(operation, module, direction)
        for item in finding["evidence"].get("consequences", []):
            if item["condition"] == "non_finite":
                return Named(*(str(item.get(key, "")) for key in ("op", "module", "direction")))
    return None


def is_right(named: Named | None, accepted: Origin) -> bool:
    """Whether operation and module, and the direction where the report tells it, are among those accepted."""
    if named is None:
        return False
    operations = {name for function in accepted.operation for name in _names(function)}
    modules = {_place(module) for module in accepted.module}
    direction = not named.direction or named.direction in accepted.direction
    return _plain(named.operation) in operations and _place(named.module) in modules and direction


def _names(function: str) -> set[str]:
    return {_plain(function), *_RUN_AS.get(_plain(function), "").split()}


def _plain(name: str) -> str:
    """Without case, underscores, dots and the number of dimensions at the end: "NllLoss2D" → "nllloss"."""
    plain = name.rpartition(".")[2].lower().replace("_", "")
    for ending in ("1d", "2d", "3d"):
        plain = plain if plain.startswith("conv") and not plain.startswith("convtr") else plain.removesuffix(ending)
    return plain


def _place(module: str) -> str:
    """The root goes by "" or its class; by custom a class begins with a capital, and a submodule's name does not."""
    return "" if module[:1].isupper() and "." not in module else module
