"""Less dropout, or none."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import torch
import torch.nn.functional as F
from torch import fx, nn

from ..patient import Patient
from ..remedy import CannotApply, Options, Remedy
from ..surgery import Journal, Part, Untraceable, edit_graphs
from ..surgery.nodes import DROPOUTS

FUNCTIONS = (F.dropout, F.dropout1d, F.dropout2d, F.dropout3d, F.alpha_dropout, torch.dropout)
#: Where F.dropout and the like keep the share, and what it is where it is not given.
PLACE, DEFAULT = 1, 0.5
#: More than half is more than what Srivastava et al. 2014 found good anywhere.
MOST, LITTLE = 0.5, 0.1


class Dropout(Remedy):
    """The share of every dropout there is, in modules, attention, recurrent layers and functional calls.

    Adding some is no cure for a training that does not learn, and is left to the user.
    """

    id = "dropout"
    family = "regularization"
    title = "less dropout"
    size = 0
    effect = "gradients are not drowned in the noise of the masks"
    source = "Srivastava et al. 2014; Li et al. 2019, arXiv:1801.05134 (against batch normalisation)"

    def propose(self, patient: Patient) -> Iterable[Options]:
        shares = [float(getattr(owner, name)) for owner, name in _settings(patient.model)]
        shares += [_share(node) for _, graph in patient.graphs for node in _calls(graph)]
        if max(shares, default=0.0) > 0:
            yield {"p": 0.0}
        if max(shares, default=0.0) > MOST:
            yield {"p": LITTLE}

    def apply(self, journal: Journal, options: Options) -> None:
        p = float(options["p"])
        if not 0 <= p < 1:
            raise CannotApply(f"the share that is dropped is from 0 to below 1, not {p:g}")
        settings = list(_settings(journal.model))
        for owner, name in settings:
            journal.set(owner, name, p)
        try:
            done = edit_graphs(journal, lambda part: _change(part, p))
        except Untraceable as error:
            if not settings:
                raise CannotApply(str(error)) from error
            return
        if not done and not settings:
            raise CannotApply("the model has no dropout")

    def says(self, options: Options) -> str:
        p = float(options["p"])
        return f"dropout {p:.2g}" if p else "no dropout"

    def code(self, options: Options) -> str:
        p = float(options["p"])
        return (
            "for module in model.modules():\n"
            "    if isinstance(module, nn.Dropout):\n"
            f"        module.p = {p!r}\n"
            f"# and dropout={p!r} for attention and recurrent layers, p={p!r} for F.dropout"
        )


def _settings(model: nn.Module) -> Iterator[tuple[nn.Module, str]]:
    """(module, attribute) of every share."""
    for module in model.modules():
        if isinstance(module, DROPOUTS):
            yield module, "p"
        elif isinstance(module, (nn.RNNBase, nn.MultiheadAttention)) and module.dropout:
            yield module, "dropout"


def _calls(graph: fx.Graph) -> list[fx.Node]:
    return [node for node in graph.nodes if node.op == "call_function" and node.target in FUNCTIONS]


def _share(node: fx.Node) -> float:
    share = node.args[PLACE] if len(node.args) > PLACE else node.kwargs.get("p", DEFAULT)
    return float(share) if isinstance(share, (int, float)) else 0.0


def _change(part: Part, p: float) -> bool:
    calls = _calls(part.graph)
    for node in calls:
        if len(node.args) > PLACE:
            node.update_arg(PLACE, p)
        else:
            node.update_kwarg("p", p)
    return bool(calls)
