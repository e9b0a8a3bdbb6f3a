"""How far back a recurrent network sees: plain, LSTM and GRU by the length of the sequence."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import torch

from ..experiment import Claim, Experiment, Figure, Row, Settings, at_least, mean, near, pick
from ..figures import lines
from ..sequences import first_symbol
from ..training import accuracy, train_classifier
from ..zoo import Recurrent

#: Name → cell, bias of the forget gates.
CELLS = {
    "rnn": ("rnn", 0.0),
    "lstm": ("lstm", 0.0),
    "lstm, forget 1": ("lstm", 1.0),
    "lstm, forget 3": ("lstm", 3.0),
    "gru": ("gru", 0.0),
}


def conditions(settings: Settings) -> Iterable[Mapping[str, Any]]:
    for name in CELLS:
        for length in settings["lengths"]:
            yield {"cell": name, "length": length, "width": settings["width"], "steps": settings["steps"]}


def measure(cell: str, length: int, width: int, steps: int, seed: int) -> Mapping[str, Any]:
    kind, forget = CELLS[cell]
    model = Recurrent(kind, 8, width, 4, forget)  # type: ignore[arg-type]
    x, y = first_symbol(2000, length)
    reach = _reach(model, x[:64])
    train_classifier(model, torch.optim.Adam(model.parameters(), 1e-2), x, y, steps, 32)
    half = length // 2
    # From the last steps to half way back: at the end the head's own direction still shows.
    kept = (reach[half] / reach[-2]) ** (1 / (length - 2 - half)) if reach[-2] > 0 else 0.0
    return {"kept": kept, "accuracy": accuracy(model, *first_symbol(500, length)), "reach": reach}


def _reach(model: Recurrent, x: torch.Tensor) -> list[float]:
    """‖∂out/∂x_t‖ for each t, at the start."""
    x = x.clone().requires_grad_()
    (slope,) = torch.autograd.grad(model(x).square().sum(), x)
    return [float(part.norm()) for part in slope.unbind(1)]


def judge(rows: Sequence[Row]) -> list[Claim]:
    length = min(row["length"] for row in rows)

    def of(cell: str, value: str) -> float:
        return mean(pick(rows, cell=cell, length=length), value)

    closed, opened = of("lstm", "kept"), of("lstm, forget 1", "kept")
    return [
        # ∂c_t/∂c_{t-1} is the forget gate, σ(0) = 1/2 and σ(1) = .73 at the start; the other gates add their own.
        near("LSTM's gradient per step back: its forget gate, σ(0), and some", 0.575, closed, 0.15),
        near("the same with a forget bias of 1 (Gers 2000): σ(1), and some", 0.8, opened, 0.1),
        at_least("what that opening wins per step back; σ(1)/σ(0) = 1.46 for the gate alone", 1.2, opened / closed),
        at_least("the same with a forget bias of 3: σ(3) = 0.95", 0.9, of("lstm, forget 3", "kept")),
        # U(±1/√n) weights have a spectral radius near 1/√3 = .58, and tanh' ≤ 1.
        near("plain RNN's gradient per step back: the weights' radius, √(1/3)", 3**-0.5, of("rnn", "kept"), 0.1),
        at_least(f"accuracy, LSTM, forget bias 3, first of {length} symbols", 0.9, of("lstm, forget 3", "accuracy")),
        at_least(
            f"accuracy, forget bias 3 less 0, {length} symbols (Jozefowicz 2015)",
            0.3,
            of("lstm, forget 3", "accuracy") - of("lstm", "accuracy"),
        ),
    ]


def draw(rows: Sequence[Row]) -> list[Figure]:
    longest = max(row["length"] for row in rows)
    first = [row for row in rows if row["length"] == longest and row["seed"] == 0]
    reach = {
        row["cell"]: ([longest - 1 - t for t in range(longest)], [size / row["reach"][-1] for size in row["reach"]])
        for row in first
    }
    lengths = sorted({row["length"] for row in rows})
    right = {cell: (lengths, [mean(pick(rows, cell=cell, length=n), "accuracy") for n in lengths]) for cell in CELLS}
    return [
        lines(
            "How far back the output sees",
            "‖∂output/∂input‖ at the start, relative to the last input.",
            reach,
            ("steps back", "‖∂out/∂x‖"),
            log="y",
            marks=False,
        ),
        lines("Which symbol came first?", "Accuracy on new sequences; chance is 1/4.", right, ("length", "accuracy")),
    ]


EXPERIMENT = Experiment(
    name="lstm-gates",
    title="Gates carry the gradient back through time; a forget gate that begins open carries it further",
    paper="Hochreiter, Schmidhuber 1997: Long short-term memory; Cho 2014 (GRU); Jozefowicz 2015 (forget bias)",
    quick={"lengths": (20,), "width": 32, "steps": 250},
    full={"lengths": (20, 50, 100, 200), "width": 128, "steps": 3000},
    conditions=conditions,
    measure=measure,
    judge=judge,
    draw=draw,
)
