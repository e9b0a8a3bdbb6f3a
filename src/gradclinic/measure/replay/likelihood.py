"""Which way a loss moves the probabilities that it is made of, and what each is weighted with."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from .replay import symbols_of
from .tape import SHAPES, Call, Leaf, Recording, Ref

#: A loss over an episode has a term for each time step; the first show what kind they are.
TERMS_LIMIT = 64
#: Calls between a weight and what the script has named.
DEEPEST = 20
#: Calls that pass on the sign of a change of their input.
_KEEP = SHAPES | {
    "mean", "sum", "nanmean", "stack", "cat", "clone", "float", "double", "to", "expand", "broadcast_tensors", "half",
    "masked_select", "minimum", "min", "clamp", "clip", "exp", "where", "unbind", "mul_", "add", "__add__", "__radd__",
    "__iadd__", "add_", "detach", "log1p", "type_as", "cumsum", "unflatten", "type", "masked_fill", "nan_to_num",
}  # fmt: skip
_MINUS = {"sub", "__sub__", "__isub__", "sub_", "subtract"}
_TURN = {"neg", "__neg__", "negative"}
_TIMES = {"mul", "__mul__", "__rmul__", "__imul__", "mul_", "multiply", "div", "__truediv__", "__itruediv__", "divide"}
_SAME = SHAPES | {"broadcast_tensors", "expand", "float", "double", "to", "clone"}
_PICKS = {"gather", "__getitem__", "index_select", "take_along_dim", "select"}
#: Losses that are minus the logarithm of a probability.
_ERRORS = {"nll_loss", "cross_entropy", "binary_cross_entropy", "binary_cross_entropy_with_logits"}
_POWERS = {"pow", "__pow__", "square", "pow_"}


@dataclass(frozen=True, slots=True)
class Probability:
    """A logarithm of a probability (or a squared error, minus one of a Gaussian) that the loss is linear in."""

    sign: int  #: 1 where the loss grows with it, -1 where it falls
    known: bool  #: whether what it is the probability of is data, and was not drawn from the model itself
    names: tuple[tuple[str, int], ...] = ()  #: what the script calls its weight, and that weight's sign in the loss
    steady: bool = True  #: whether its weights, named or not, have one sign, which is in ``sign``


@dataclass(frozen=True, slots=True)
class _Way:
    """How the loss came to a value: its sign, and the weights on the way."""

    sign: int
    weights: tuple[Ref | Leaf, ...] = ()


def probabilities(recording: Recording) -> list[Probability]:
    """Those that the loss adds up; empty where its form is not known."""
    if recording.loss is None:
        return []
    search = _Search(recording)
    return list(search.below(recording.loss.index))


class _Search:
    def __init__(self, recording: Recording) -> None:
        self._recording = recording
        self._makers = {number: call for call in recording.calls for number in call.outputs}
        #: What depends on a parameter, gradient or not: an action that was drawn is among it.
        self._computed: set[Ref | Leaf] = {
            Leaf(place) for place, leaf in enumerate(recording.leaves) if leaf.requires_grad
        }
        for call in recording.calls:
            if not self._computed.isdisjoint(symbols_of(call)):
                self._computed.update(Ref(number) for number in call.outputs)

    def below(self, number: int) -> Iterator[Probability]:
        """Walks from a value down to what it adds up."""
        todo: list[tuple[int, _Way]] = [(number, _Way(1))]
        seen: set[int] = set()
        count = 0
        while todo and count < TERMS_LIMIT:
            number, way = todo.pop()
            call = self._makers.get(number)
            if call is None or number in seen or not call.tracked:
                continue
            seen.add(number)
            found = self._probability(call)
            if found is not None:
                sign, known = found
                count += 1
                yield self._weighed(_Way(way.sign * sign, way.weights), known)
            else:
                todo += self._inside(call, way)

    def _inside(self, call: Call, way: _Way) -> Iterator[tuple[int, _Way]]:
        """The values that a call is linear (or growing) in, each with the way to it."""
        args = [*call.args, *call.kwargs.values()]
        refs = [item for item in symbols_of(call) if isinstance(item, Ref)]
        if call.name in _TURN:
            yield from ((ref.index, _Way(-way.sign, way.weights)) for ref in refs)
        elif call.name in _MINUS or call.name in ("rsub", "__rsub__"):
            turned = call.name in ("rsub", "__rsub__")
            for place, item in enumerate(args[:2]):
                if isinstance(item, Ref):
                    yield item.index, _Way(way.sign if (place == 0) != turned else -way.sign, way.weights)
        elif call.name in _TIMES:
            yield from self._factors(call, args, way)
        elif call.name in _KEEP or call.name in _PICKS:
            yield from ((ref.index, way) for ref in refs)

    def _factors(self, call: Call, args: list[Any], way: _Way) -> Iterator[tuple[int, _Way]]:
        if len(args) < 2:
            return
        left, right = args[:2]
        for item, other in ((left, right), (right, left)):
            if not isinstance(item, Ref) or not self._tracked(item) or ("div" in call.name and item is not left):
                continue
            if isinstance(other, (int, float)):
                yield item.index, _Way(way.sign if other >= 0 else -way.sign, way.weights)
            elif isinstance(other, (Ref, Leaf)) and not self._tracked(other):
                yield item.index, _Way(way.sign, (*way.weights, other))
            elif "div" in call.name:  # by a variance that is learned, which is positive
                yield item.index, way

    def _tracked(self, item: Ref | Leaf) -> bool:
        if isinstance(item, Leaf):
            return self._recording.leaves[item.place].requires_grad
        call = self._makers.get(item.index)
        return call is not None and call.tracked

    # -- what is a probability ------------------------------------------------------------------------------

    def _probability(self, call: Call) -> tuple[int, bool] | None:
        """(1 for a logarithm of a probability and -1 for minus one, whether it is of data)."""
        if call.name in _ERRORS:
            return -1, self._data(call.args[1:2])
        if call.name in _PICKS and isinstance(call.args[0], Ref) and self._normalised(call.args[0]):
            return 1, self._data(call.args[1:])
        if call.name in _MINUS and self._over_all(call.args[1:2]):
            picked = self._source(call.args[0])
            return (1, self._data(picked.args[1:])) if picked is not None and picked.name in _PICKS else None
        if call.name in _POWERS and (call.name == "square" or call.args[1:] in ((2,), (2.0,))):
            return self._squared(call)
        return None

    def _squared(self, call: Call) -> tuple[int, bool] | None:
        """A squared difference of data and what the model makes of it."""
        difference = self._source(call.args[0])
        if difference is not None and difference.name in ("div", "__truediv__"):
            difference = self._source(difference.args[0])
        if difference is None or difference.name not in _MINUS:
            return None
        sides = symbols_of(difference)
        fixed = [item for item in sides if not self._tracked(item)]
        return (-1, self._data(fixed)) if len(sides) == 2 and len(fixed) == 1 else None

    def _normalised(self, item: Ref) -> bool:
        call = self._source(item)
        if call is None:
            return False
        if call.name == "log":
            below = self._made(call.args[0])
            return below is not None and below.name in ("softmax", "clamp", "add", "__add__", "__truediv__", "div")
        return call.name == "log_softmax" or (call.name in _MINUS and self._over_all(call.args[1:2]))

    def _over_all(self, items: Any) -> bool:
        made = self._made(items[0]) if items else None
        return made is not None and made.name == "logsumexp"

    def _source(self, item: Any) -> Call | None:
        """The call that gave a value its numbers, shapes and formats left out."""
        call = self._made(item)
        while call is not None and call.name in _SAME:
            places = [place for place, number in enumerate(call.outputs) if number == item.index]
            refs = [symbol for symbol in symbols_of(call) if isinstance(symbol, Ref)]
            if not refs:
                return None
            item = refs[places[0]] if len(refs) == len(call.outputs) else refs[-1]
            call = self._made(item)
        return call

    def _made(self, item: Any) -> Call | None:
        return self._makers.get(item.index) if isinstance(item, Ref) else None

    def _data(self, items: Any) -> bool:
        """Whether labels or targets came from outside of what the model computed."""
        symbols = [symbol for item in items for symbol in _flat(item)]
        return bool(symbols) and not any(symbol in self._computed for symbol in symbols)

    # -- weights ---------------------------------------------------------------------------------------------

    def _weighed(self, way: _Way, known: bool) -> Probability:
        names: list[tuple[str, int]] = []
        sign, steady = way.sign, True
        for weight in way.weights:
            names += [(name, way.sign * direction) for name, direction in self._named(weight, 1)]
            side = self._side(weight)
            sign, steady = sign * (side or 1), steady and side != 0
        return Probability(sign, known, tuple(dict.fromkeys(names)), steady)

    def _side(self, weight: Ref | Leaf) -> int:
        """1 where a weight is never negative, -1 where it is never positive, 0 where it is both or not known."""
        if isinstance(weight, Ref):
            return 0
        values: Tensor = self._recording.leaves[weight.place].detach()
        return 1 if bool((values >= 0).all()) else -1 if bool((values <= 0).all()) else 0

    def _named(self, item: Any, sign: int, depth: int = 0) -> list[tuple[str, int]]:
        """The script's names of the values that a weight is linear in, with their signs in it: the first it had."""
        call = self._made(item)
        deeper: list[tuple[str, int]] = []
        if call is not None and depth < DEEPEST and call.args:
            first = [(part, sign) for part in _flat(call.args[0])]
            if call.name in _TURN or call.name in ("rsub", "__rsub__"):
                first = [(part, -sign) for part, _ in first]
            elif call.name in _MINUS:
                first += [(part, -sign) for part in _flat(call.args[1:])]
            elif call.name not in _KEEP | {"div", "__truediv__"}:
                first = []
            deeper = [found for part, turned in first for found in self._named(part, turned, depth + 1)]
        name = self._recording.names.get(item, "")
        return deeper or ([(name, sign)] if name else [])


def _flat(item: Any) -> list[Ref | Leaf]:
    if isinstance(item, (Ref, Leaf)):
        return [item]
    if isinstance(item, (tuple, list)):
        return [symbol for part in item for symbol in _flat(part)]
    return []
