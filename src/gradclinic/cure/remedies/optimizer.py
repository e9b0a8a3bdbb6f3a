"""Another optimizer over the same parameters and groups."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch.optim import Optimizer

from ..patient import Patient
from ..remedy import CannotApply, Options, Remedy
from ..surgery import Journal
from .epsilon import HALF

#: Name → class and its usual settings.
OFFERED: Mapping[str, tuple[type[Optimizer], dict[str, Any]]] = {
    "adam": (torch.optim.Adam, {}),
    "adamw": (torch.optim.AdamW, {}),
    "nadam": (torch.optim.NAdam, {}),
    "radam": (torch.optim.RAdam, {}),
    "adagrad": (torch.optim.Adagrad, {}),
    "rmsprop": (torch.optim.RMSprop, {}),
    "sgd": (torch.optim.SGD, {}),
    "momentum": (torch.optim.SGD, {"momentum": 0.9}),
    "nesterov": (torch.optim.SGD, {"momentum": 0.9, "nesterov": True}),
}
#: A learning rate to begin with: the defaults of torch and of the papers; the window says more where it can be had.
USUAL = {"adam": 1e-3, "adamw": 1e-3, "nadam": 2e-3, "radam": 1e-3, "adagrad": 1e-2, "rmsprop": 1e-3, "sgd": 1e-1,
         "momentum": 1e-2, "nesterov": 1e-2}  # fmt: skip


class OptimizerChange(Remedy):
    """Groups keep the ratio of their learning rates, and their weight decay."""

    id = "optimizer"
    family = "optimizer"
    title = "another optimizer"
    size = 2
    effect = "steps of a size that does not depend on the gradient's, or steps that average the noise away"
    source = "Kingma and Ba 2015; Loshchilov and Hutter 2019; Polyak 1964; torch.optim"

    def propose(self, patient: Patient) -> Iterable[Options]:
        used = type(patient.optimizer).__name__.lower()
        if used not in ("adam", "adamw", "nadam", "radam"):
            yield {"name": "adam", "lr": USUAL["adam"]}
        if used != "sgd" or not any(group.get("momentum") for group in patient.optimizer.param_groups):
            yield {"name": "momentum", "lr": USUAL["momentum"]}

    def apply(self, journal: Journal, options: Options) -> None:
        name, old = options["name"], journal.optimizer
        if name not in OFFERED:
            raise CannotApply(f"no such optimizer: {name!r}; there are {', '.join(OFFERED)}")
        if old is None:
            raise CannotApply("there is no optimizer to exchange")
        if not float(options["lr"]) > 0:
            raise CannotApply(f"a learning rate is above 0, not {options['lr']}")
        kind, settings = OFFERED[name]
        settings = settings | {k: v for k, v in options.items() if k not in ("name", "lr")}
        halves = any(p.dtype == torch.float16 for group in old.param_groups for p in group["params"])
        if halves and "eps" in inspect.signature(kind).parameters:
            settings.setdefault("eps", HALF)  # torch's default is 0 there, and a step 0/0
        rates = [float(group["lr"]) for group in old.param_groups]
        highest = max(rates) or 1.0
        groups = []
        for group, rate in zip(old.param_groups, rates, strict=True):
            own = {"params": list(group["params"]), "lr": float(options["lr"]) * rate / highest}
            if "weight_decay" in group and "weight_decay" not in settings:
                own["weight_decay"] = group["weight_decay"]
            groups.append(own)
        journal.exchange(kind(groups, **settings))

    def says(self, options: Options) -> str:
        kind, _ = OFFERED[options["name"]]
        more = " with momentum" if options["name"] in ("momentum", "nesterov") else ""
        return f"{kind.__name__}{more} at {float(options['lr']):.2g}"

    def code(self, options: Options) -> str:
        kind, settings = OFFERED[options["name"]]
        settings = (
            {"lr": float(options["lr"])} | settings | {k: v for k, v in options.items() if k not in ("name", "lr")}
        )
        told = ", ".join(f"{key}={value!r}" for key, value in settings.items())
        return f"optimizer = torch.optim.{kind.__name__}(model.parameters(), {told})"
