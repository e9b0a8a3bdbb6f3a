"""Parameters that are frozen, or that the optimizer was never given, are trained."""

from __future__ import annotations

from collections.abc import Iterable

from torch import nn
from torch.optim import Optimizer

from ..patient import Patient
from ..remedy import CannotApply, Options, Remedy
from ..surgery import Journal


class Unfreeze(Remedy):
    """All of them, or those below the modules and of the names given."""

    id = "unfreeze"
    family = "parameters"
    title = "all parameters trained"
    size = 1
    effect = "every part of the model learns"
    source = "torch.Tensor.requires_grad; torch.optim.Optimizer.add_param_group"

    def propose(self, patient: Patient) -> Iterable[Options]:
        idle = _idle(patient.model, patient.optimizer)
        found = [finding for finding in patient.findings if finding.cause == "frozen_parameter"]
        where = [place for finding in found for place in finding.where if _below(idle, [place])]
        if where and len(_below(idle, where)) < len(idle):
            yield {"parameters": list(dict.fromkeys(where))}
        if idle:
            yield {}

    def apply(self, journal: Journal, options: Options) -> None:
        if journal.optimizer is None:
            raise CannotApply("there is no optimizer")
        idle = _idle(journal.model, journal.optimizer)
        if "parameters" in options:
            idle = _below(idle, list(options["parameters"]))
        if not idle:
            raise CannotApply("all parameters are trained already")
        for parameter in idle.values():
            journal.train(parameter)

    def says(self, options: Options) -> str:
        names = list(options.get("parameters", []))
        return f"{', '.join(names[:3])}{' …' * (len(names) > 3)} trained" if names else self.title

    def code(self, options: Options) -> str:
        names = list(options.get("parameters", []))
        return (
            "missing = []\n"
            "held = {p for group in optimizer.param_groups for p in group['params']}\n"
            "for name, parameter in model.named_parameters():\n"
            f"    if {f'name.startswith({tuple(names)!r})' if names else 'True'}:\n"
            "        parameter.requires_grad_()\n"
            "        missing += [parameter] * (parameter not in held)\n"
            "optimizer.add_param_group({'params': missing})"
        )


def _idle(model: nn.Module, optimizer: Optimizer) -> dict[str, nn.Parameter]:
    """Floating parameters that no step changes."""
    held = {id(p) for group in optimizer.param_groups for p in group["params"]}
    named = model.named_parameters()
    return {name: p for name, p in named if p.is_floating_point() and not (p.requires_grad and id(p) in held)}


def _below(parameters: dict[str, nn.Parameter], places: list[str]) -> dict[str, nn.Parameter]:
    """Those of these names, and of these modules."""
    return {
        name: p for name, p in parameters.items() if any(name == each or name.startswith(f"{each}.") for each in places)
    }
