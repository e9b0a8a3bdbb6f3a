"""What the recorded calls of the first step show of the script itself, as events."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any

from torch import Tensor

from gradclinic.measure.replay import Tape, find_cuts, loss_terms, margin_call, probabilities, read_inputs


def shown_by(tape: Tape, name_of: Callable[[Tensor], str | None]) -> Iterator[tuple[str, dict[str, Any]]]:
    """(kind, data) of the events ``loss_call``, ``loss_terms``, ``probabilities``, ``model_input``,
    ``accidental_outer``, ``autocast`` and ``graph_cut``: see ``EVENT_KINDS``.
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
