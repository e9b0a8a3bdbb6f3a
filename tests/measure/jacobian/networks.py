"""Networks that the tests of Jacobians share, and references that share no code with what is tested."""

from __future__ import annotations

import contextlib
import itertools
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Tied(nn.Module):
    """One matrix used in both layers."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = nn.Linear(4, 4), nn.Linear(4, 4)
        self.b.weight = self.a.weight

    def forward(self, x: Tensor) -> Tensor:
        return self.b(torch.tanh(self.a(x)))


class Recurrent(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.cell, self.head = nn.LSTM(3, 2, 2, batch_first=True), nn.Linear(2, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.cell(x)[0])


class Pair(NamedTuple):
    first: Tensor
    second: Tensor


@dataclass
class Record:
    kept: Tensor
    label: Tensor


class Many(nn.Module):
    """Outputs in every kind of container, and an integer one."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = nn.Linear(4, 3), nn.Linear(4, 2)

    def forward(self, x: Tensor) -> dict[str, Any]:
        a, b = self.a(x).tanh(), self.b(x)
        return {"pair": Pair(a, a * a), "list": [b.sin()], "record": Record(b.exp(), a.argmax(-1)), "name": "many"}

    @staticmethod
    def flat(output: dict[str, Any]) -> Tensor:
        record = output["record"]
        parts = [*output["pair"], *output["list"], record.kept]
        return torch.cat([part.reshape(-1) for part in parts])


class Waves(nn.Module):
    """Complex weights and a complex output."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(3, dtype=torch.complex128))

    def forward(self, x: Tensor) -> Tensor:
        return torch.fft.rfft(x) * self.weight


class Attention(nn.Module):
    def __init__(self, fused: bool = True) -> None:
        super().__init__()
        self.qkv, self.fused = nn.Linear(4, 12), fused

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = (part.unflatten(-1, (2, 2)).transpose(-2, -3) for part in self.qkv(x).chunk(3, -1))
        if self.fused:
            mixed = F.scaled_dot_product_attention(q, k, v)
        else:
            mixed = ((q @ k.transpose(-1, -2)) / 2**0.5).softmax(-1) @ v
        return x + mixed.transpose(-2, -3).flatten(-2)


def conv(training: bool) -> nn.Module:
    net = nn.Sequential(
        nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3), nn.ReLU(inplace=True), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(12, 3)
    )
    net(torch.randn(8, 2, 6, 6))  # so that its statistics are not the initial ones
    return net.train(training)


def mlp(*widths: int, act: Callable[[], nn.Module] = nn.Tanh) -> nn.Sequential:
    layers: list[nn.Module] = []
    for fan_in, fan_out in itertools.pairwise(widths):
        layers += [nn.Linear(fan_in, fan_out), act()]
    return nn.Sequential(*layers[:-1])


#: name → (model, input); float64, so that a reference holds to 1e-10.
CASES: dict[str, Callable[[], tuple[nn.Module, Tensor]]] = {
    "mlp": lambda: (mlp(4, 6, 5, 3), torch.randn(3, 4)),
    "relu in place": lambda: (nn.Sequential(nn.ReLU(inplace=True), nn.Linear(4, 2)), torch.randn(3, 4)),
    "batch norm, training": lambda: (conv(True), torch.randn(4, 2, 6, 6)),
    "batch norm, evaluating": lambda: (conv(False), torch.randn(2, 2, 6, 6)),
    "lstm": lambda: (Recurrent(), torch.randn(2, 4, 3)),
    "attention": lambda: (Attention(), torch.randn(2, 5, 4)),
    "encoder": lambda: (nn.TransformerEncoderLayer(4, 2, 6, 0.0, batch_first=True).eval(), torch.randn(2, 3, 4)),
    "tied": lambda: (Tied(), torch.randn(3, 4)),
    "containers": lambda: (Many(), torch.randn(2, 4)),
    "complex": lambda: (Waves(), torch.randn(2, 4)),
}


def case(name: str) -> tuple[nn.Module, Tensor]:
    model, x = CASES[name]()
    return model.double(), x.double()


def flat_output(model: nn.Module, x: Tensor) -> Tensor:
    output = model(x)
    output = Many.flat(output) if isinstance(model, Many) else output
    return (torch.view_as_real(output) if output.is_complex() else output).reshape(-1)


def reference(model: nn.Module, x: Tensor, by: list[Tensor] | None = None) -> Tensor:
    """The Jacobian of the flat output by the input, or by some parameters, row by row with autograd."""
    x = x.clone().requires_grad_()
    kept = {name: buffer.clone() for name, buffer in model.named_buffers()}
    output = flat_output(model, x.clone())
    leaves = by if by is not None else [x]
    rows = []
    for place in range(len(output)):
        grads = torch.autograd.grad(output[place], leaves, retain_graph=True, allow_unused=True)
        grads = [torch.zeros_like(leaf) if g is None else g for leaf, g in zip(leaves, grads, strict=True)]
        rows.append(torch.cat([(torch.view_as_real(g) if g.is_complex() else g).reshape(-1) for g in grads]))
    for name, buffer in model.named_buffers():
        buffer.copy_(kept[name])
    return torch.stack(rows)


class Old(torch.autograd.Function):
    """Written before torch.func: forward takes ctx, so there is no forward mode."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return x.tanh()

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return grad * (1 - x.tanh() ** 2)


class Once(Old):
    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        return Old.backward(ctx, grad)


class Detaching(Old):
    """Its backward is right, and has no graph: double backward is silently zero."""

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        return Old.backward(ctx, grad.detach())


class Checkpointed(nn.Module):
    """Runs its forward pass again as it goes back."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4), nn.Tanh())

    def forward(self, x: Tensor) -> Tensor:
        return torch.utils.checkpoint.checkpoint(self.inner, x, use_reentrant=False)


class Mean(nn.Module):
    """Keeps state in every place where a module may: buffers, attributes, plain tensors, its own random numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("seen", torch.zeros(()))
        self.total, self.last, self.steps = torch.zeros(4), None, 0

    def forward(self, x: Tensor) -> Tensor:
        self.seen += 1
        self.total += x.detach().mean(0)
        self.steps += 1
        self.last = x
        setattr(self, f"seen{self.steps}", x)
        return x * random.random() * float(np.random.rand())


def stateful() -> nn.Sequential:
    torch.manual_seed(1)
    model = nn.Sequential(nn.Linear(4, 4), Mean(), nn.BatchNorm1d(4), nn.Dropout(0.5), nn.Tanh(), nn.Linear(4, 3))
    model(torch.randn(5, 4)).sum().backward()
    return model


@contextlib.contextmanager
def unchanged(model: nn.Module) -> Iterator[None]:
    """Fails unless all state of the model, its gradients and all generators are the same bits afterwards."""
    before, objects = _state(model), _objects(model)
    yield
    after = _state(model)
    assert before.keys() == after.keys()
    for name, value in before.items():
        same = torch.equal(value, after[name]) if isinstance(value, Tensor) else value == after[name]
        assert same, name
    assert objects == _objects(model)


def _state(model: nn.Module) -> dict[str, Any]:
    state: dict[str, Any] = {f"state {name}": value.detach().clone() for name, value in model.state_dict().items()}
    for name, parameter in model.named_parameters():
        state[f"grad {name}"] = None if parameter.grad is None else parameter.grad.clone()
    for name, module in model.named_modules():
        state[f"training {name}"] = module.training
        state[f"hooks {name}"] = len(module._forward_hooks) + len(module._forward_pre_hooks)
        for key, value in vars(module).items():
            if isinstance(value, Tensor):
                state[f"attribute {name}.{key}"] = value.detach().clone()
            elif isinstance(value, (int, float, str)):
                state[f"attribute {name}.{key}"] = value
    state["torch"], state["python"] = torch.get_rng_state(), random.getstate()
    kind, keys, *rest = np.random.get_state()
    state["numpy"] = (kind, keys.tolist(), *rest)
    state["grad mode"], state["threads"] = torch.is_grad_enabled(), torch.get_num_threads()
    state["kernels"] = (torch.backends.mkldnn.enabled, torch.backends.mha.get_fastpath_enabled())
    return state


def _objects(model: nn.Module) -> list[tuple[str, int]]:
    tensors = [*model.named_parameters(), *model.named_buffers()]
    found = [(name, id(tensor)) for name, tensor in tensors]
    for name, module in model.named_modules():
        found += [(f"{name}.{key}", id(value)) for key, value in vars(module).items()]
    return found
