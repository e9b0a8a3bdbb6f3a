"""Recurrent weights that neither shrink nor stretch the state."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import nn

from ..patient import Patient
from ..remedy import CannotApply, Options, Remedy
from ..surgery import Journal, write_weight
from ..surgery.recurrent import GATES, KEEPS, bias_pairs, kind_of, recurrent_layers, recurrent_weights
from .forget_bias import USUAL, open_gates

KINDS = ("orthogonal", "identity")


class OrthogonalRecurrence(Remedy):
    """Of RNN, GRU and LSTM, layers and cells; one orthogonal block per gate."""

    id = "orthogonal_recurrence"
    family = "recurrence"
    title = "orthogonal recurrent weights"
    size = 1
    effect = "the powers of the recurrent weights keep their size, and so does the gradient through time"
    source = "Saxe et al. 2014; Henaff et al. 2016; Le et al. 2015, arXiv:1504.00941 (identity, for rectifiers)"

    def propose(self, patient: Patient) -> Iterable[Options]:
        kinds = {kind_of(layer) for _, layer in recurrent_layers(patient.model)}
        if not kinds:
            return
        rectified = [m for _, m in recurrent_layers(patient.model) if getattr(m, "nonlinearity", "tanh") == "relu"]
        if rectified:
            yield {"kind": "identity"}
        if kinds & set(KEEPS):
            yield {"kind": "orthogonal", "forget_bias": USUAL}
        yield {"kind": "orthogonal"}

    def apply(self, journal: Journal, options: Options) -> None:
        kind = options.get("kind", "orthogonal")
        if kind not in KINDS:
            raise CannotApply(f"no such recurrence: {kind!r}; there are {' and '.join(KINDS)}")
        layers, generator = recurrent_layers(journal.model), journal.generator()
        for _, layer in layers:
            for name in recurrent_weights(layer):
                shape = getattr(layer, name).shape
                rows = shape[0] // GATES[kind_of(layer)]
                blocks = [_block(kind, rows, shape[1], generator) for _ in range(GATES[kind_of(layer)])]
                write_weight(journal, layer, torch.cat(blocks), name)
            if "forget_bias" in options and kind_of(layer) in KEEPS:
                for pair in bias_pairs(layer):
                    open_gates(journal, layer, pair, float(options["forget_bias"]))
        if not layers:
            raise CannotApply("the model has none of torch's recurrent layers")

    def says(self, options: Options) -> str:
        more = f", forget-gate bias {float(options['forget_bias']):.2g}" if "forget_bias" in options else ""
        return f"{options.get('kind', 'orthogonal')} recurrent weights{more}"

    def code(self, options: Options) -> str:
        draw = {"identity": "nn.init.eye_(gate)"}.get(options.get("kind", ""), "nn.init.orthogonal_(gate)")
        more = "\n# and the forget gate's bias as in forget_bias" if "forget_bias" in options else ""
        return (
            "for layer in (m for m in model.modules() if isinstance(m, (nn.RNNBase, nn.RNNCellBase))):\n"
            "    for name, weight in layer.named_parameters():\n"
            "        if name.startswith('weight_hh'):\n"
            "            for gate in weight.data.split(layer.hidden_size):\n"
            f"                {draw}{more}"
        )


def _block(kind: str, rows: int, columns: int, generator: torch.Generator) -> torch.Tensor:
    empty = torch.empty(rows, columns)
    return nn.init.eye_(empty) if kind == "identity" else nn.init.orthogonal_(empty, generator=generator)
