"""Opens the account of one backward pass, and closes it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from gradclinic.schema.ledger import Activity, Entry, Kind, Ledger, Objective, Recurrence

from . import activity
from .backward import BackwardTape
from .forward import ForwardTape, Values
from .fused import FusedLstm, read_lstm, replay
from .graph import Graph, Op, read_graph
from .kinds import FUSED_RECURRENCES
from .norms import Norms
from .objective import read_objective
from .origin import describe_backward
from .parts import current, kind_of, mark_loss, paths_of
from .recurrence import recurrences, recurrent_uses
from .saved import Readable, SavedReader
from .scopes import Scopes
from .spine import Account, Gradients, account
from .weights import weight_of

Names = Callable[[Tensor], str | None]


class OpenLedger:
    """One backward pass under observation.  Made by :func:`open_ledger`; ``close`` it after the pass, always.

    ``origin`` is, after an operation of the pass made a non-finite gradient out of a finite one on the CPU,
    the data of a ``non_finite_origin`` event with the ranges of that operation's inputs; else None.
    """

    def __init__(self, graph: Graph, scopes: Scopes | None, names: Names, readable: Readable) -> None:
        self.origin: dict[str, Any] | None = None
        self._graph = graph
        self._scopes = current(scopes, graph)
        self._names = names
        self._reader = SavedReader(readable)
        self._values = Values(self._reader)
        self._norms = Norms()
        self._ledger: Ledger | None = None
        mark_loss(graph, self._scopes)
        self._ops = graph.reached
        self._kinds: dict[Op, Kind] = {op: kind_of(op, self._scopes) for op in self._ops}
        self._paths = paths_of(graph, self._scopes, names)
        self._forward = ForwardTape(self._values, self._norms)
        self._weights: dict[Op, tuple[int, int, int]] = {}  # ticket, elements, fan-in
        self._drafts: list[activity.Draft] = []
        self._objective: Objective | None = None
        self._error: Op | None = None  # the operation whose output is the error that the objective describes
        self._fused: dict[Op, FusedLstm] = {}
        self._failures: list[str] = []
        with torch.no_grad():
            self._attempt("forward values", self._read_forward)
            self._attempt("objective", self._read_objective)
        keep = {op: lstm.sample for op, lstm in self._fused.items()}
        if self._error is not None:
            keep[self._error] = _signs
        self._tape = BackwardTape(graph, self._norms, self._caught, keep)
        try:
            self._tape.attach()
        except BaseException:
            self._tape.remove()  # half a set of hooks must not stay on the user's graph
            raise

    def close(self) -> Ledger:
        """Takes the hooks away and returns the account; the same one when called again."""
        self._tape.remove()
        if self._ledger is None:
            with torch.no_grad():
                self._ledger = self._finish()
        return self._ledger

    def _attempt(self, what: str, function: Callable[[], None]) -> None:
        try:
            function()
        except Exception as error:
            self._failures.append(f"{what}: {type(error).__name__}: {error}")

    def _read_forward(self) -> None:
        self._forward.read(self._ops)
        for op in self._ops:
            kind = self._kinds[op]
            if kind == "weight":
                found = weight_of(op, self._values)
                if op.name in FUSED_RECURRENCES:
                    lstm = read_lstm(op, self._reader)
                    if lstm is not None:
                        self._fused[op] = lstm
                if found is not None:
                    ticket, elements = self._forward.measure(found[0])
                    self._weights[op] = (ticket, elements, found[1])
            elif kind == "activation":
                draft = activity.draft(op, self._values, self._reader, self._forward)
                if draft is not None:
                    self._drafts.append(draft)

    def _read_objective(self) -> None:
        found = read_objective(self._graph, self._values, self._reader)
        if found is not None:
            self._objective, self._error = found

    def _caught(self, op: Op) -> None:
        if self.origin is None:
            self.origin = describe_backward(op, self._values, self._path(op))

    def _finish(self) -> Ledger:
        self._norms.settle()
        gradients = Gradients(self._tape, self._norms)
        entries = tuple(self._entry(op, gradients) for op in self._worth_an_entry(gradients))
        uses = recurrent_uses(self._graph)
        first = self._first_layer(uses)
        spine = Account((), None, 0.0)
        if first is not None:
            spine = account(first, gradients, self._kind, self._path)
        activities: list[Activity] = []
        for draft in self._drafts:
            try:
                activities.append(activity.finish(draft, self._path(draft.op), self._forward.rms(draft.rms)))
            except Exception as error:
                self._failures.append(f"activity: {type(error).__name__}: {error}")
        found = recurrences(uses, gradients, self._forward, self._names, self._path) + self._replayed()
        return Ledger(
            entries=tuple(sorted(entries, key=lambda entry: entry.sequence)),
            lines=spine.lines,
            total=spine.total,
            residue=spine.residue,
            activities=tuple(activities),
            objective=self._signed(),
            recurrences=found,
            unseen=self._unseen(),
        )

    def _signed(self) -> Objective | None:
        """The objective with the direction in which it is driven."""
        kept = self._tape.kept.get(self._error) if self._error is not None else None
        if self._objective is None or not kept or kept[0] is None or self._objective.op == "LogSoftmax":
            return self._objective
        return replace(self._objective, sign=float(kept[0]))

    def _replayed(self) -> tuple[Recurrence, ...]:
        """Fused recurrences, step by step; what could not be replayed is listed as unseen."""
        found = []
        for op, lstm in list(self._fused.items()):
            gradients, seen = self._tape.kept.get(op), None
            if gradients is not None:
                try:
                    seen = replay(lstm, gradients, self._names, self._path(op))
                except Exception as error:
                    self._failures.append(f"fused recurrence: {type(error).__name__}: {error}")
            if seen is None:
                del self._fused[op]
            else:
                found.append(seen)
        return tuple(found)

    def _kind(self, op: Op) -> Kind:
        return self._kinds.get(op, "other")

    def _path(self, op: Op) -> str:
        return self._paths.get(op, "")

    def _worth_an_entry(self, gradients: Gradients) -> list[Op]:
        """Everything on the signal's way, and of the preparation of parameters what spoilt a gradient."""
        return [op for op in self._graph.ops if op.reached or gradients.bad_out(op)]

    def _entry(self, op: Op, gradients: Gradients) -> Entry:
        weight = self._weights.get(op)
        arrival = self._tape.arrivals.get(op)
        shape = op.shapes[0] if op.shapes else arrival.shapes.get(0, ()) if arrival else ()
        producers = (op.producer(position) for position in op.signal)
        return Entry(
            sequence=op.sequence,
            op=op.name,
            kind=self._kind(op),
            module=self._path(op),
            shape=shape,
            inputs=tuple(producer.sequence for producer in producers if producer is not None),
            parameters=tuple(name for name in map(self._names, op.parameters()) if name),
            forward_in=self._forward.incoming(op),
            forward_out=self._forward.outgoing(op),
            grad_out=gradients.arrived(op),
            grad_in=gradients.passed(op),
            non_finite_in=gradients.bad_in(op),
            non_finite_out=gradients.bad_out(op),
            weight_rms=self._forward.rms(weight[:2]) if weight else None,
            fan_in=weight[2] if weight else None,
        )

    def _first_layer(self, uses: list[tuple[Tensor, list[Op]]]) -> Op | None:
        """Where the account ends: the first time step of a recurrence, else the earliest layer with parameters."""
        if uses:
            return min((ops[0] for _, ops in uses), key=lambda op: op.sequence)
        arrived = [op for op in self._ops if op in self._tape.arrivals and not op.loss]
        weights = [op for op in arrived if self._kinds[op] == "weight"]
        with_parameters = [op for op in weights if any(True for _ in op.parameters())]
        for candidates in (with_parameters, weights, arrived):
            if candidates:
                return min(candidates, key=lambda op: op.sequence)
        return None

    def _unseen(self) -> tuple[str, ...]:
        unseen = []
        names = {op.name for op in self._ops}
        if any(name.startswith("CompiledFunction") for name in names):
            unseen.append("compiled region: one entry stands for all its operations")
        if any(name.startswith("CheckpointFunction") for name in names):
            unseen.append("checkpointed region: one entry stands for all its operations")
        if self._reader.skipped:
            unseen.append("forward values of checkpointed or offloaded operations: reading would reload them")
        fused = sorted(
            {self._paths[op] or op.name for op in self._ops if op.name in FUSED_RECURRENCES and op not in self._fused}
        )
        if fused:
            unseen.append("time steps inside fused recurrences: " + ", ".join(fused))
        unseen.extend(f"failed: {failure}" for failure in (self._failures + self._tape.failures)[:5])
        return tuple(unseen)


def _signs(gradients: Any) -> list[Tensor | None]:
    """Mean sign of the gradient's elements that are not 0."""
    gradient = gradients[0]
    if gradient is None or gradient.is_complex():
        return [None]
    return [gradient.sign().sum() / gradient.count_nonzero().clamp(min=1)]


def open_ledger(
    roots: Sequence[Tensor],
    *,
    scopes: Scopes | None = None,
    names: Names = lambda _: None,
    saved_readable: Readable = True,
) -> OpenLedger:
    """Reads the graph below ``roots`` and hooks its nodes; call right before the backward pass of the same roots.

    ``scopes`` was attached during the forward pass (None: modules are told by their parameters), ``names``
    gives a parameter's dotted name, and ``saved_readable`` says whether saved tensors may be unpacked: a
    flag, or a function of the sequence number.  Nothing of the run is changed.
    """
    return OpenLedger(read_graph(roots), scopes, names, saved_readable)


def measure(loss: Tensor, model: nn.Module | None = None, *, scopes: Scopes | None = None, **backward: Any) -> Ledger:
    """Runs ``loss.backward(**backward)`` and returns its account.  Gradients accumulate as ever."""
    names = {id(p): name for name, p in model.named_parameters(remove_duplicate=False)} if model is not None else {}
    ledger = open_ledger([loss], scopes=scopes, names=lambda tensor: names.get(id(tensor)))
    try:
        loss.backward(**backward)  # type: ignore[no-untyped-call]
    finally:
        result = ledger.close()
    return result
