"""Classes that pass a batch normalisation apart from each other."""

from __future__ import annotations

from ..evidence import Evidence
from ..learning import HALFWAY
from .cause import Cause


def normalised_apart(evidence: Evidence) -> Cause | None:
    """Where it does not learn well: what distinguishes the classes' means is subtracted before anything can see it.

    An adversary sees what is real and what is not apart as a habit, and has an optimizer of its own.
    """
    first, last = evidence.learning.first, evidence.learning.last
    for event in evidence.events("split_batches"):
        if len(evidence.optimizers) != 1 or first is None or last is None or last < HALFWAY * first:
            continue
        where = event.data["module"]
        return Cause(
            "normalization_placement",
            f"samples of each label go through the batch normalisation `{where}` in a pass of their own"
            f" ({event.data['passes']} passes a step): it takes away by how much their means differ, and in evaluation"
            " it uses the mean of both",
            "Pass the samples of all labels through the model together, in one batch.",
            (where,),
            {"passes": event.data["passes"]},
            ("one_batch", "layer_norm"),
            "batch statistics of one class remove its mean (Ioffe 2015; Salimans 2016 on separate batches)",
            0.8,
        )
    return None
