"""Weights of another training as a start."""

from __future__ import annotations

from collections.abc import Iterable

from gradclinic.errors import UserError

from ..patient import Patient
from ..pretrained import pair, read_weights
from ..remedy import CannotApply, Options, Remedy
from ..surgery import Journal


class PretrainedWeights(Remedy):
    """All that has the same name and shape in the file; the rest of the model keeps its initial values."""

    id = "pretrained_weights"
    family = "initialization"
    title = "pretrained weights"
    size = 1
    effect = "features that were learned on more data need not be learned again"
    source = "Yosinski et al. 2014, arXiv:1411.1792"

    def propose(self, patient: Patient) -> Iterable[Options]:
        if patient.task.pretrained is not None:
            yield {"file": str(patient.task.pretrained)}

    def urgency(self, patient: Patient) -> float:
        """What weights know shows in no window: one decade."""
        return 1.0 if patient.task.pretrained is not None else 0.0

    def apply(self, journal: Journal, options: Options) -> None:
        try:
            _, pairs = pair(journal.model, read_weights(options["file"]))
        except UserError as error:
            raise CannotApply(str(error)) from error
        for tensor, values in pairs:
            journal.write(tensor, values)

    def says(self, options: Options) -> str:
        return f"weights of {options['file']}"

    def code(self, options: Options) -> str:
        return (
            f"state = torch.load({options['file']!r}, map_location='cpu', weights_only=True)\n"
            "own = model.state_dict()\n"
            "fitting = {n: t for n, t in state.items() if n in own and t.shape == own[n].shape}\n"
            "model.load_state_dict(fitting, strict=False)"
        )
