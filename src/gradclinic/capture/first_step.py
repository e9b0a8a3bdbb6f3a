"""What the recorded calls of the first step show of the script itself, as events."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any, Final

from torch import Tensor

from gradclinic.measure.replay import (
    Tape,
    find_cuts,
    loss_terms,
    margin_call,
    probabilities,
    read_inputs,
    split_batches,
    turned_similarity,
    words_in_script,
)

#: Words by which a script says whether what it predicts is wanted or not.
AIMS: Final = re.compile("reward|cost", re.IGNORECASE)


def shown_by(tape: Tape, name_of: Callable[[Tensor], str | None]) -> Iterator[tuple[str, dict[str, Any]]]:
    """(kind, data) of the events ``loss_call``, ``loss_terms``, ``probabilities``, ``turned_similarity``,
    ``split_batches``, ``script_words``, ``model_input``, ``accidental_outer``, ``autocast`` and ``graph_cut``: see
    ``EVENT_KINDS``.
    """
    recording = tape.recording
    for called in recording.loss_calls:
        yield "loss_call", called
    margin = margin_call(recording)
    if margin is not None:
        yield "loss_call", margin | {"module": ""}
    terms = loss_terms(recording)
    if terms:
        yield "loss_terms", {"terms": [asdict(term) for term in terms]}
    moved = [asdict(each) for each in dict.fromkeys(probabilities(recording))]
    if moved:
        yield "probabilities", {"moved": moved}
    turned = turned_similarity(recording)
    if turned is not None:
        yield "turned_similarity", turned
    apart = split_batches(recording)
    if apart is not None:
        yield "split_batches", apart
    words = words_in_script(AIMS)
    if words:
        yield "script_words", {"words": words}
    for given in read_inputs(recording):
        yield "model_input", given
    if recording.outer is not None:
        yield "accidental_outer", recording.outer
    formats = {str(call.autocast).removeprefix("torch.") for call in recording.calls if call.autocast}
    if formats:
        yield "autocast", {"dtypes": sorted(formats)}
    for cut in find_cuts(recording) if tape.trouble is None else ():
        names = [name for parameter in cut.parameters if (name := name_of(parameter)) is not None]
        yield "graph_cut", {"op": cut.op, "module": cut.module, "enabled": cut.enabled, "parameters": names}
