"""Each layer at a rate of its own, from a step of its own on."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from torch import nn
from torch.optim import Optimizer

from ..patient import Patient
from ..pretrained import load_matching, measure_rates, options_of, read_weights
from ..remedy import CannotApply, Options, Remedy
from ..surgery import Journal


class DiscriminativeRates(Remedy):
    """For pretrained weights; :func:`gradclinic.transfer` measures the factors and the steps too.

    A layer is left alone by the optimizer until its step; statistics that it keeps (batch normalisation's) go on.
    """

    id = "discriminative_rates"
    family = "schedule"
    title = "a learning rate for each layer"
    size = 2
    effect = "what was learned before is not thrown away while the new layers learn what it is good for"
    source = "Howard and Ruder 2018, arXiv:1801.06146; Kumar et al. 2022, arXiv:2202.10054"

    def propose(self, patient: Patient) -> Iterable[Options]:
        if patient.task.pretrained is not None:
            model = copy.deepcopy(patient.model)
            match = load_matching(model, read_weights(patient.task.pretrained))
            yield options_of(measure_rates(replace(patient.task, model=model), match.loaded, patient.batches))

    def urgency(self, patient: Patient) -> float:
        """What new layers would destroy in the old ones is not seen in a window; less than the weights themselves."""
        return 0.5 if patient.task.pretrained is not None else 0.0

    def apply(self, journal: Journal, options: Options) -> None:
        optimizer, layers = journal.optimizer, dict(options["layers"])
        if optimizer is None:
            raise CannotApply("there is no optimizer")
        known = dict(journal.model.named_modules())
        missing = [name for name in layers if name not in known]
        if missing or not layers:
            raise CannotApply(f"the model has no layer {missing[0]!r}" if missing else "no layer is named")
        owner = {id(p): name for name in layers for p in known[name].parameters(recurse=False)}
        groups: list[dict[str, Any]] = []
        for group in optimizer.param_groups:
            by_layer: dict[str | None, list[nn.Parameter]] = {}
            for parameter in group["params"]:
                by_layer.setdefault(owner.get(id(parameter)), []).append(parameter)
            for name, parameters in by_layer.items():
                factor = 1.0 if name is None else float(layers[name]["factor"])
                groups.append({**group, "params": parameters, "lr": group["lr"] * factor})
        journal.set(optimizer, "param_groups", groups)
        starts = {key: layers[name].get("start", 0) for key, name in owner.items()}
        state = {"step": 0}

        def before(optimizer: Optimizer) -> None:
            for group in optimizer.param_groups:
                for parameter in group["params"]:
                    start = starts.get(id(parameter), 0)
                    if start is None or state["step"] < start:
                        parameter.grad = None

        def after(optimizer: Optimizer) -> None:
            state["step"] += 1

        journal.before_step(before)
        journal.after_step(after)

    def code(self, options: Options) -> str:
        layers = dict(options["layers"])
        rates = {name: float(each["factor"]) for name, each in layers.items()}
        starts = {name: each.get("start", 0) for name, each in layers.items()}
        return (
            f"rates = {rates!r}\n"
            f"starts = {starts!r}  # until that step: parameter.grad = None before optimizer.step()\n"
            "lr = optimizer.param_groups[0]['lr']\n"
            "optimizer = type(optimizer)([\n"
            "    {'params': [p], 'lr': lr * rates.get(name.rpartition('.')[0], 1.0)}\n"
            "    for name, p in model.named_parameters()\n"
            "])"
        )
