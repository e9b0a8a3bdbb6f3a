"""The published rules of other tools, computed from gradclinic's records.

The tools themselves need Keras or a cloud account; their rules need losses, gradients, weights and activations, and a
record has statistics of all of these.  Where it does not settle a rule, the rule's symptom is *possible* and not
*certain*, and ``symptom.call`` decides for the peer: a possible symptom counts as seen in a faulty script and as unseen
in any other.  Thresholds are the tools' defaults.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gradclinic.diagnose import Evidence

from . import autotrainer, deepdiagnosis, sagemaker
from .symptom import Symptom


@dataclass(frozen=True, slots=True)
class Peer:
    """One tool's rules."""

    name: str
    rules: Callable[[Evidence, int], Sequence[Symptom]]
    epochs: int

    def check(self, evidence: Evidence) -> Sequence[Symptom]:
        """The symptoms in a record, in the order in which the tool would report them."""
        return self.rules(evidence, self.epochs)


#: The tools look once an epoch, or once in a number of steps that the user sets; a record knows neither.  A run counts
#: as so many epochs of equal length as serve the peer best on the development half, which peers/epochs.py finds.
PEERS = (
    Peer("AutoTrainer", autotrainer.check, 5),
    Peer("DeepDiagnosis", deepdiagnosis.check, 7),
    Peer("SageMaker Debugger", sagemaker.check, 2),
)

__all__ = ["PEERS", "Peer", "Symptom"]
