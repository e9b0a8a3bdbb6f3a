"""An activation on the output, that the loss does not want, is taken away."""

from __future__ import annotations

from collections.abc import Iterable

from ..patient import Patient
from ..remedy import CannotApply, Options, Remedy
from ..surgery import Journal, Part, Untraceable, edit_graphs
from ..surgery.nodes import activation_of, leads_to_weights


class OutputActivation(Remedy):
    """Removes what stands between the last layer and the output."""

    id = "remove_output_activation"
    family = "output"
    title = "no activation on the output"
    size = 3
    effect = "the output takes every value that the loss asks for, and its gradient is not bent"
    source = "torch.nn.CrossEntropyLoss: the input is expected to contain the unnormalized logits"

    def propose(self, patient: Patient) -> Iterable[Options]:
        if patient.output_activations:
            yield {}

    def apply(self, journal: Journal, options: Options) -> None:
        try:
            done = edit_graphs(journal, _remove)
        except Untraceable as error:
            raise CannotApply(str(error)) from error
        if not done:
            raise CannotApply("the output has no activation")

    def code(self, options: Options) -> str:
        return "# in the model: return what the last layer gives, without the activation after it"


def _remove(part: Part) -> bool:
    nodes = [n for n in part.graph.nodes if activation_of(n, part.owner) and not leads_to_weights(n, part.owner)]
    for node in nodes:
        node.replace_all_uses_with(node.args[0])
        part.graph.erase_node(node)
    return bool(nodes)
