"""What the calls of a recorded step are for: which carry weights, which are activations, what the loss begins with."""

from __future__ import annotations

from functools import cached_property

from .replay import symbols_of
from .tape import SHAPES, Call, Leaf, Recording, Ref

#: Calls that multiply the signal with a matrix or a kernel.  Fused recurrences are left out: what they do inside
#: cannot be changed.
WEIGHT_CALLS = {
    "linear", "conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d", "matmul",
    "__matmul__", "__rmatmul__", "mm", "bmm", "addmm", "einsum", "bilinear",
}  # fmt: skip
#: Activations that flatten or grow without bound, so that another in their place is a question worth asking.
ACTIVATIONS = {
    "sigmoid", "tanh", "softsign", "hardtanh", "hardsigmoid", "logsigmoid", "softmax", "exp", "square", "relu6",
    "sigmoid_", "tanh_", "tanhshrink",
}  # fmt: skip
RECTIFIERS = {"relu", "relu_", "leaky_relu", "elu", "selu", "gelu", "silu", "mish", "softplus", "celu", "threshold"}
NORMALIZATIONS = {"layer_norm", "batch_norm", "group_norm", "instance_norm", "rms_norm"}


class Roles:
    """Looks at a recording once; ``weight`` tells whether a leaf (by place) is trained."""

    def __init__(self, recording: Recording, trained: set[int]) -> None:
        self._recording = recording
        self._trained = trained
        self._maker = {number: call for call in recording.calls for number in call.outputs}

    @cached_property
    def weights(self) -> list[Call]:
        """Calls that multiply with a trained weight, in order."""
        return [call for call in self._recording.calls if call.name in WEIGHT_CALLS and self.weight_of(call)]

    def weight_of(self, call: Call) -> list[Leaf]:
        """The trained leaves that a call reads directly, transposed ones included."""
        found = []
        for item in symbols_of(call):
            maker = self._maker.get(item.index) if isinstance(item, Ref) else None
            if maker is not None and maker.name in ("t", "T", "mT", "transpose", "__get__"):
                item = next(iter(symbols_of(maker)), item)
            if isinstance(item, Leaf) and item.place in self._trained:
                found.append(item)
        return found

    @cached_property
    def _last_weight(self) -> int:
        return max((call.outputs[0] for call in self.weights), default=0)

    def hidden(self, call: Call) -> bool:
        """Whether a weight comes after this call."""
        return call.outputs[0] < self._last_weight

    @cached_property
    def flattening(self) -> list[Call]:
        """Hidden activations that flatten or grow without bound, on a layer's output (not attention scores)."""
        return [
            call for call in self._recording.calls
            if call.name in ACTIVATIONS and self.hidden(call) and self.layer_before(call) is not None
        ]  # fmt: skip

    @cached_property
    def hidden_activations(self) -> list[Call]:
        """All hidden activations of a layer's output."""
        names = ACTIVATIONS | RECTIFIERS
        calls = self._recording.calls
        return [c for c in calls if c.name in names and self.hidden(c) and self.layer_before(c) is not None]

    @cached_property
    def output_activation(self) -> Call | None:
        """The first activation after the last weight that acts on its output."""
        names = ACTIVATIONS | RECTIFIERS
        for call in self._recording.calls:
            if call.name in names and not self.hidden(call):
                before = self.layer_before(call)
                if before is not None and before.outputs[0] == self._last_weight:
                    return call
        return None

    @cached_property
    def normalizations(self) -> list[Call]:
        return [call for call in self._recording.calls if call.name in NORMALIZATIONS]

    @cached_property
    def targets(self) -> list[int]:
        """Places of untrained leaves that are first read after the last weight."""
        seen: set[int] = set()
        found: dict[int, None] = {}
        for call in self._recording.calls:
            for item in symbols_of(call):
                if isinstance(item, Leaf) and item.place not in self._trained:
                    if call.outputs[0] > self._last_weight and item.place not in seen:
                        found.setdefault(item.place)
                    seen.add(item.place)
        return [place for place in found if place not in self._recording.inputs]

    def layer_before(self, call: Call) -> Call | None:
        """The weight call whose output this call acts on, normalisation and shapes left out."""
        current: Call | None = call
        while current is not None:
            first = next((item for item in symbols_of(current) if isinstance(item, Ref)), None)
            current = self._maker.get(first.index) if first is not None else None
            if current is None or current in self.weights:
                return current
            if current.name not in NORMALIZATIONS | SHAPES and not _adds_bias(current, self._trained):
                return None
        return None


def _adds_bias(call: Call, trained: set[int]) -> bool:
    """``x @ w + b``, written out."""
    if call.name not in ("add", "__add__", "__radd__", "__iadd__", "add_"):
        return False
    return any(isinstance(item, Leaf) and item.place in trained for item in symbols_of(call))
