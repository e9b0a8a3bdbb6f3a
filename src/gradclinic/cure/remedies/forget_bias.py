"""Gates that keep the state open at the start, so that the gradient passes through time."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from ..patient import Patient
from ..remedy import CannotApply, Options, Remedy
from ..surgery import Journal, write_weight
from ..surgery.recurrent import GATES, KEEPS, bias_pairs, kind_of, recurrent_layers

#: Of the sum of both biases: σ(1) = 0.73 of the state is kept each step, where a fresh one keeps half.
USUAL = 1.0
#: Time steps from which memory is worth a bias of its own: a bias of 1 keeps 1 % of the state for 15.
LONG = 15


class ForgetBias(Remedy):
    """The same bias for all units, or one that lets each remember for another time, up to a known length."""

    id = "forget_bias"
    family = "recurrence"
    title = "gates open at the start"
    size = 1
    effect = "the state, and the gradient, pass through many time steps before the gates have learned anything"
    source = "Jozefowicz et al. 2015; Gers et al. 2000; Tallec and Ollivier 2018, arXiv:1804.11188 (chrono)"

    def propose(self, patient: Patient) -> Iterable[Options]:
        gated = [(name, layer) for name, layer in _gated(patient.model) if any(True for _ in bias_pairs(layer))]
        if not gated:
            return
        if max(_kept(layer) for _, layer in gated) < USUAL:
            yield {"bias": USUAL}
        calls = patient.calls_of([name for name, _ in gated])
        length = max((_length(call.module, call.args) for call in calls), default=0)
        if length >= LONG:
            yield {"chrono": length}

    def apply(self, journal: Journal, options: Options) -> None:
        length = int(options.get("chrono", 0))
        if length and length < 3:
            raise CannotApply(f"chrono needs a length of at least 3 steps, not {length}")
        generator, done = journal.generator(), 0
        for _, layer in _gated(journal.model):
            for first, second in bias_pairs(layer):
                done += 1
                if length:
                    _chrono(journal, layer, (first, second), length, generator)
                else:
                    open_gates(journal, layer, (first, second), float(options["bias"]))
        if not done:
            raise CannotApply("the model has no LSTM or GRU with biases")

    def says(self, options: Options) -> str:
        if "chrono" in options:
            return f"chrono initialisation for {int(options['chrono'])} time steps"
        return f"forget-gate bias {float(options['bias']):.2g}"

    def code(self, options: Options) -> str:
        value = (
            f"torch.empty(h).uniform_(1, {int(options['chrono']) - 1}).log()  # and -value for the input gate [:h]"
            if "chrono" in options
            else f"{float(options['bias'])!r}"
        )
        return (
            "for lstm in (m for m in model.modules() if isinstance(m, (nn.LSTM, nn.GRU))):\n"
            "    h = lstm.hidden_size\n"
            "    for name, bias in lstm.named_parameters():\n"
            "        if name.startswith('bias'):\n"
            "            with torch.no_grad():  # the gates stand in blocks of h; torch adds both vectors\n"
            f"                bias[h:2 * h] = 0.0 if name.startswith('bias_hh') else {value}"
        )


def open_gates(journal: Journal, layer: nn.Module, pair: tuple[str, str], value: float | Tensor) -> None:
    """The two biases of the gate that keeps the state add up to ``value``."""
    for name, own in zip(pair, (value, 0.0), strict=True):
        rows = getattr(layer, name).detach().clone()
        size = rows.numel() // GATES[kind_of(layer)]
        place = KEEPS[kind_of(layer)] * size
        rows[place : place + size] = own
        write_weight(journal, layer, rows, name)


def _chrono(journal: Journal, layer: nn.Module, pair: tuple[str, str], length: int, generator: torch.Generator) -> None:
    """b_forget = log U[1, T-1] and b_input = -b_forget (Tallec and Ollivier 2018)."""
    blocks = GATES[kind_of(layer)]
    size = getattr(layer, pair[0]).numel() // blocks
    value = torch.empty(size).uniform_(1, length - 1, generator=generator).log()
    open_gates(journal, layer, pair, value.to(getattr(layer, pair[0])))
    if kind_of(layer) == "LSTM":  # a GRU has no input gate
        for name, own in zip(pair, (-value, 0.0 * value), strict=True):
            rows = getattr(layer, name).detach().clone()
            rows[:size] = own.to(rows)
            write_weight(journal, layer, rows, name)


def _gated(model: nn.Module) -> list[tuple[str, nn.Module]]:
    return [(name, layer) for name, layer in recurrent_layers(model) if kind_of(layer) in KEEPS]


def _kept(layer: nn.Module) -> float:
    """The mean bias of the gate, over layers and directions."""
    means = []
    for first, second in bias_pairs(layer):
        both = getattr(layer, first).detach().double() + getattr(layer, second).detach().double()
        size = both.numel() // GATES[kind_of(layer)]
        place = KEEPS[kind_of(layer)] * size
        means.append(float(both[place : place + size].mean()))
    return sum(means) / len(means)


def _length(layer: nn.Module, args: tuple[object, ...]) -> int:
    """Time steps of a call; a cell sees one."""
    given = args[0] if args else None
    if isinstance(given, PackedSequence):
        return len(given.batch_sizes)
    if not isinstance(given, Tensor) or not isinstance(layer, nn.RNNBase) or given.dim() != 3:
        return 0
    return int(given.shape[1 if layer.batch_first else 0])
