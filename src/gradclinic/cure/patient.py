"""What is known of a training when a remedy is asked whether it fits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.optim import Optimizer
from torch.utils._pytree import tree_leaves

from gradclinic.measure.jacobian.calls import Call, first_calls
from gradclinic.measure.jacobian.tree import cloned
from gradclinic.schema.finding import Finding
from gradclinic.task import Task

from .surgery import Untraceable, parts
from .surgery.nodes import WEIGHTED, activation_of, is_norm, leads_to_weights


@dataclass(frozen=True)
class Patient:
    """A task as the user gave it, never trained, and what was found out about it."""

    task: Task
    optimizer: Optimizer  #: the user's, over the task's model; it has taken no step
    batches: tuple[Any, ...]  #: a few
    findings: tuple[Finding, ...] = ()
    constant: float | None = None  #: loss of the best constant prediction, where a check-up knows it

    @property
    def model(self) -> nn.Module:
        """The user's."""
        return self.task.model

    @property
    def causes(self) -> frozenset[str]:
        """Of all findings."""
        return frozenset(finding.cause for finding in self.findings)

    @cached_property
    def graphs(self) -> tuple[tuple[nn.Module, fx.Graph], ...]:
        """The parts of the model whose forward can be traced, as in training; empty where none can."""
        try:
            return tuple((owner, next(iter(graphs.values()))) for owner, graphs in parts(self.model))
        except Untraceable:
            return ()

    @cached_property
    def hidden_activations(self) -> tuple[str, ...]:
        """Names of the activations before layers with weights, in order; functional ones too."""
        return tuple(
            name
            for owner, graph in self.graphs
            for node in graph.nodes
            if (name := activation_of(node, owner)) and leads_to_weights(node, owner)
        )

    @cached_property
    def output_activations(self) -> tuple[str, ...]:
        """Names of those that nothing with weights follows."""
        return tuple(
            name
            for owner, graph in self.graphs
            for node in graph.nodes
            if (name := activation_of(node, owner)) and not leads_to_weights(node, owner)
        )

    @cached_property
    def normalized(self) -> bool:
        """Whether there is a normalisation layer anywhere."""
        return any(is_norm(node, owner) for owner, graph in self.graphs for node in graph.nodes)

    @cached_property
    def calls(self) -> dict[str, Call]:
        """The first call of the model itself ("") and of each layer with weights."""
        wanted = ["", *(name for name, module in self.model.named_modules() if isinstance(module, WEIGHTED))]
        return {call.name: call for call in self.calls_of(wanted)}

    def calls_of(self, wanted: Sequence[str]) -> list[Call]:
        """The first call of each of these modules, in order."""
        return first_calls(self.model, partial(self._loss, self.batches[0]), wanted)

    @cached_property
    def inputs(self) -> Tensor | None:
        """The floating tensor that the model gets first, the batches joined, in float64; None where there is none."""
        found = []
        for batch in self.batches:
            calls = first_calls(self.model, partial(self._loss, batch), [""])
            leaves = tree_leaves((calls[0].args, calls[0].kwargs)) if calls else []
            tensors = [leaf for leaf in leaves if isinstance(leaf, Tensor)]
            if not tensors or not tensors[0].is_floating_point() or tensors[0].dim() < 2:
                return None
            found.append(tensors[0].double())
        return torch.cat(found) if len({each.shape[1:] for each in found}) == 1 else None

    def _loss(self, batch: Any) -> Tensor:
        """A loss may write to its batch."""
        return self.task.loss(self.model, cloned(batch))

    @property
    def depth(self) -> int:
        """How many layers with weights are called."""
        return len(self.calls) - 1

    @property
    def lr(self) -> float:
        """The largest learning rate of the groups."""
        return max(float(group["lr"]) for group in self.optimizer.param_groups)
