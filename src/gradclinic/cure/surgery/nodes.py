"""What the nodes of a traced forward are: layers with weights, activations, normalisations, and how they follow."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
import torch.nn.functional as F
from torch import fx, nn

WEIGHTED = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
NORMS = (
    nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.LayerNorm, nn.GroupNorm, nn.RMSNorm, nn.InstanceNorm1d,
    nn.InstanceNorm2d, nn.InstanceNorm3d, nn.SyncBatchNorm,
)  # fmt: skip
FUNCTIONAL_NORMS = (F.layer_norm, F.batch_norm, F.group_norm, F.instance_norm, F.rms_norm)
DROPOUTS = (nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d, nn.AlphaDropout)

#: Name → (module, functions, methods).  One name per function that a network is built from.
ACTIVATIONS: dict[str, tuple[Callable[[], nn.Module], tuple[Any, ...], tuple[str, ...]]] = {
    "relu": (nn.ReLU, (F.relu, torch.relu, torch.relu_, F.relu_), ("relu", "relu_")),
    "relu6": (nn.ReLU6, (F.relu6,), ()),
    "leaky_relu": (nn.LeakyReLU, (F.leaky_relu,), ()),
    "elu": (nn.ELU, (F.elu,), ()),
    "selu": (nn.SELU, (F.selu, torch.selu), ()),
    "celu": (nn.CELU, (F.celu, torch.celu), ()),
    "gelu": (nn.GELU, (F.gelu,), ()),
    "silu": (nn.SiLU, (F.silu,), ()),
    "mish": (nn.Mish, (F.mish,), ()),
    "softplus": (nn.Softplus, (F.softplus,), ()),
    "tanh": (nn.Tanh, (torch.tanh, F.tanh), ("tanh", "tanh_")),
    "hardtanh": (nn.Hardtanh, (F.hardtanh,), ()),
    "softsign": (nn.Softsign, (F.softsign,), ()),
    "sigmoid": (nn.Sigmoid, (torch.sigmoid, F.sigmoid), ("sigmoid", "sigmoid_")),
    "hardsigmoid": (nn.Hardsigmoid, (F.hardsigmoid,), ()),
    "log_sigmoid": (nn.LogSigmoid, (F.logsigmoid,), ()),
    "softmax": (nn.Softmax, (F.softmax, torch.softmax), ("softmax",)),
    "log_softmax": (nn.LogSoftmax, (F.log_softmax, torch.log_softmax), ("log_softmax",)),
    "exp": (nn.Identity, (torch.exp,), ("exp",)),
    "square": (nn.Identity, (torch.square,), ("square",)),
}


def module_of(node: fx.Node, owner: nn.Module) -> nn.Module | None:
    """The module that a node calls."""
    return owner.get_submodule(str(node.target)) if node.op == "call_module" else None


def activation_of(node: fx.Node, owner: nn.Module) -> str | None:
    """The name of the activation that a node computes, as a module, a function or a method."""
    module = module_of(node, owner)
    for name, (kind, functions, methods) in ACTIVATIONS.items():
        if module is not None:
            if kind is not nn.Identity and type(module) is kind:
                return name
            if type(module).__name__.lower() in (name, name.replace("_", "")) and not list(module.parameters()):
                return name  # the user's own class of that name
        elif (node.op == "call_function" and node.target in functions) or (
            node.op == "call_method" and node.target in methods
        ):
            return name
    return None


def is_weighted(node: fx.Node, owner: nn.Module) -> bool:
    """Whether a node is a dense or convolutional layer."""
    return isinstance(module_of(node, owner), WEIGHTED)


def is_norm(node: fx.Node, owner: nn.Module) -> bool:
    """Whether a node is a normalisation layer."""
    return isinstance(module_of(node, owner), NORMS)


def has_weights(node: fx.Node, owner: nn.Module) -> bool:
    """Whether a node computes with parameters, of a module or its own; normalisations apart."""
    module = module_of(node, owner)
    if module is not None:
        return not isinstance(module, NORMS) and any(True for _ in module.parameters())
    if node.op == "get_attr" or node.target in FUNCTIONAL_NORMS:
        return False
    return any(each.op == "get_attr" and _is_parameter(owner, str(each.target)) for each in node.all_input_nodes)


def leads_to_weights(node: fx.Node, owner: nn.Module) -> bool:
    """Whether anything with parameters, normalisations apart, comes after ``node``: else it belongs to the output."""
    seen, waiting = set(), list(node.users)
    while waiting:
        user = waiting.pop()
        if user in seen:
            continue
        seen.add(user)
        if has_weights(user, owner):
            return True
        waiting += user.users
    return False


def _is_parameter(owner: nn.Module, path: str) -> bool:
    parent, _, name = path.rpartition(".")
    return isinstance(getattr(owner.get_submodule(parent), name, None), nn.Parameter)


def chain(node: fx.Node) -> Iterator[fx.Node]:
    """The nodes after ``node`` as long as each has one user, which takes it as its first argument."""
    while len(node.users) == 1:
        (node_after,) = node.users
        if not node_after.args or node_after.args[0] is not node:
            return
        yield node_after
        node = node_after


def insert_module(graph: fx.Graph, after: fx.Node, name: str) -> fx.Node:
    """Passes what ``after`` gives through the submodule ``name``."""
    with graph.inserting_after(after):
        new = graph.call_module(name, (after,))
    after.replace_all_uses_with(new, delete_user_cb=lambda user: user is not new)
    return new
