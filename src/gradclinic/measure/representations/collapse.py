"""Watches the outputs of all modules in one forward pass, and how alike they are for different inputs."""

from __future__ import annotations

import contextlib
import weakref
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, nn

from gradclinic.measure.jacobian.still import Still
from gradclinic.measure.jacobian.tree import floating
from gradclinic.schema.representations import Alike, Representation, Representations

from .alike import alike, chosen, mean
from .unfused import unfused

#: Samples, and places of a sequence, that are compared.  A mean cosine over pairs of 64 is right to about a sixth of
#: the spread of one pair's, and an effective rank can be told from collapse up to 63.
SAMPLES = 64
TOKENS = 64
#: Samples whose places are compared: places differ more among each other than their likeness does among samples.
_SEQUENCES = 16
#: Calls of one module that are looked at: a cell that is called for each time step says the same from some on.
_CALLS = 64
#: Modules that have the places of a sequence in the last dimension, and the features in the second.
_CHANNELS_FIRST = (nn.Conv1d, nn.ConvTranspose1d, nn.BatchNorm1d, nn.MaxPool1d, nn.AvgPool1d, nn.InstanceNorm1d)


def representations(model: nn.Module, run: Callable[[], Any], *, seed: int = 0) -> Representations:
    """How alike the outputs of each module of ``model`` are for different samples and, in sequences, places.

    ``run`` is one forward pass, as ``lambda: loss(model, batch)``; it is run once, without gradients.  Of an output
    that is a tuple or a dict the first floating tensor counts.  A module that returns what a module inside it has
    returned is left out.  The batch is the first dimension of the model's input, or the second where a module without
    ``batch_first`` (recurrences, attention) is given it there: what came before that module is then skipped.
    Memory: what is compared of one output at a time.

    Collapse reads as a cosine near 1 that stays (Schoenholz et al. 2017, c* = 1) with a small spread and rank; among
    the places of a transformer as rank collapse (Noci et al. 2022).  The model, its buffers and gradients, and all
    generators are left as they were (:class:`~.jacobian.still.Still`).

    Raises NoProduct for TorchScript, and whatever ``run`` raises.
    """
    watch = _Watch(model)

    def watched() -> None:
        with unfused(), torch.no_grad(), watch.watching():
            run()

    Still(model, seed=seed).run(watched)
    seen = {one.where for one in watch.found}
    return Representations(tuple(watch.found), tuple(dict.fromkeys(p for p in watch.skipped if p not in seen)))


class _Watch:
    def __init__(self, model: nn.Module) -> None:
        self._model = model
        self.found: list[Representation] = []
        self.skipped: list[str] = []
        self._paths = {id(module): name for name, module in model.named_modules()}
        self._leaves = {id(module) for module in model.modules() if not any(True for _ in module.children())}
        self._batch = 0
        self._time_first = False
        self._calls: Counter[str] = Counter()
        self._last: tuple[weakref.ref[Tensor], int] | None = None
        self._channels_first: set[torch.Size] = set()

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        with contextlib.ExitStack() as stack:
            for module in self._model.modules():
                stack.callback(module.register_forward_pre_hook(self._enter).remove)
                stack.callback(module.register_forward_hook(self._leave).remove)
            yield

    def _enter(self, module: nn.Module, args: Any) -> None:
        """The first tensor that any module of the model is given tells the size of the batch."""
        tensor = next((arg for arg in args if isinstance(arg, Tensor) and arg.dim()), None)
        if tensor is None:
            return
        if not self._batch:
            self._batch = len(tensor)
        if getattr(module, "batch_first", True) is False and tensor.dim() == 3 and not self._time_first:
            self._time_first = True
            if self._batch != tensor.shape[1]:  # what has been seen so far was taken the wrong way round
                self._batch = tensor.shape[1]
                self.skipped += [one.where for one in self.found]
                self.found.clear()

    def _leave(self, module: nn.Module, args: Any, output: Any) -> None:
        path = self._paths[id(module)]
        tensor = next(iter(floating(output)[0]), None)
        if tensor is None or self._same(tensor):
            return
        self._last = (weakref.ref(tensor), tensor._version)
        call = self._calls[path]
        self._calls[path] += 1
        if call >= _CALLS:
            return
        place = self._batch_place(tensor)
        if place is None:
            self.skipped.append(path)
            return
        rows = tensor.detach().movedim(place, 0)
        tokens = self._tokens(module, rows)
        few = rows[chosen(len(rows), SAMPLES)]
        leaf = id(module) in self._leaves
        self.found.append(Representation(path, call, leaf, tuple(tensor.shape), alike(few), tokens))

    def _same(self, tensor: Tensor) -> bool:
        """Whether it is what has just been looked at, unchanged."""
        return self._last is not None and self._last[0]() is tensor and self._last[1] == tensor._version

    def _batch_place(self, tensor: Tensor) -> int | None:
        if tensor.is_meta or tensor.is_sparse or tensor.is_complex():
            return None
        places = (1, 0) if self._time_first else (0, 1)
        return next((place for place in places if place < tensor.dim() and tensor.shape[place] == self._batch), None)

    def _tokens(self, module: nn.Module, rows: Tensor) -> Alike | None:
        """``rows`` (N, T, C), or (N, C, T) after a convolution."""
        if rows.dim() != 3:
            return None
        if isinstance(module, _CHANNELS_FIRST):
            self._channels_first.add(rows.shape)
        if rows.shape in self._channels_first:
            rows = rows.transpose(1, 2)
        if rows.shape[1] < 2:
            return None
        places = chosen(rows.shape[1], TOKENS)
        return mean([alike(rows[sample][places]) for sample in chosen(len(rows), _SEQUENCES)])
