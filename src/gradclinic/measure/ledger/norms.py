"""Norms of many tensors, read back together so that a GPU is not waited for between them."""

from __future__ import annotations

import math

import torch
from torch import Tensor

#: Below this a float32 norm may have lost elements whose squares are subnormal (|x| < 1e-19).
_SMALL = 1e-12


class Norms:
    """Collects Euclidean norms and counts of non-finite elements.

    ``add`` returns a ticket; after ``settle`` ``value(ticket)`` is the float64 norm over the finite
    elements and ``bad(ticket)`` the number of the others.  On the CPU the norm is taken at once, on
    other devices it stays there until ``settle``, which reads them all in one copy.
    """

    def __init__(self) -> None:
        self._values: list[float] = []
        self._bad: list[int] = []
        self._pending: list[tuple[int, Tensor]] = []

    def add(self, tensor: Tensor) -> int:
        """Takes a tensor of any floating or complex dtype; sparse, sharded and empty ones too."""
        ticket = len(self._values)
        if tensor.dtype is torch.float32 and tensor.is_cpu and type(tensor) is Tensor and not tensor.requires_grad:
            # The common case by the shortest way: this runs for every operation of a step.
            if tensor.layout is torch.strided:
                value = torch.linalg.vector_norm(tensor).item()
                if _SMALL < value < math.inf:
                    self._values.append(value)
                    self._bad.append(0)
                    return ticket
        self._values.append(0.0)
        self._bad.append(0)
        plain = _plain(tensor)
        if plain is None or plain.numel() == 0:
            return ticket
        if plain.is_cpu:
            self._values[ticket], self._bad[ticket] = norm_now(plain)
        else:
            finite = torch.isfinite(plain)
            kept = torch.where(finite, plain, 0)
            wide = torch.float32 if plain.device.type == "mps" else torch.float64
            norm = torch.linalg.vector_norm(kept.abs() if kept.is_complex() else kept, dtype=wide)
            self._pending.append((ticket, torch.stack([norm, (~finite).sum().to(wide)])))
        return ticket

    def settle(self) -> None:
        """Brings all pending results over, one copy per device."""
        pending, self._pending = self._pending, []
        for device in {pair.device for _, pair in pending}:
            here = [(ticket, pair) for ticket, pair in pending if pair.device == device]
            for (ticket, _), row in zip(here, torch.stack([pair for _, pair in here]).tolist(), strict=True):
                self._values[ticket], self._bad[ticket] = row[0], int(row[1])

    def value(self, ticket: int) -> float:
        return self._values[ticket]

    def bad(self, ticket: int) -> int:
        return self._bad[ticket]


def norm_now(tensor: Tensor) -> tuple[float, int]:
    """Norm over the finite elements, and the number of the others, of one dense tensor; waits for a GPU.

    One fast pass; only where its result may be wrong (0, tiny, inf, nan) are the elements scaled by their
    largest magnitude, so 1e20 and 1e-30 in float32 have right norms.
    """
    narrow = tensor.dtype in (torch.float16, torch.bfloat16)
    value = float(torch.linalg.vector_norm(tensor, dtype=torch.float32 if narrow else None))
    wide = tensor.dtype in (torch.float64, torch.complex128)
    if math.isfinite(value) and value > (1e-150 if wide else _SMALL):
        return value, 0
    finite = torch.isfinite(tensor)
    bad = tensor.numel() - int(finite.sum())
    magnitudes = torch.where(finite, tensor, 0).abs().double()
    peak = float(magnitudes.max())
    if peak == 0:
        return 0.0, bad
    return float(torch.linalg.vector_norm(magnitudes / peak)) * peak, bad


def _plain(tensor: Tensor) -> Tensor | None:
    """The dense local floating tensor behind ``tensor``; None where there is none."""
    tensor = getattr(tensor, "_local_tensor", tensor)
    if not (tensor.is_floating_point() or tensor.is_complex()) or tensor.is_meta:
        return None
    if tensor.requires_grad:
        tensor = tensor.detach()
    if tensor.layout == torch.strided:
        return tensor
    if tensor.layout == torch.sparse_coo:
        return tensor.coalesce().values()
    if tensor.layout in (torch.sparse_csr, torch.sparse_csc, torch.sparse_bsr, torch.sparse_bsc):
        return tensor.values()
    return tensor.to_dense() if tensor.layout == torch._mkldnn else None  # type: ignore[attr-defined]
