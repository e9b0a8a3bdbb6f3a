"""What the other stages call: vitals of all tensors of a step."""

from __future__ import annotations

import os
from collections.abc import Sequence

import numpy as np
import torch

from ...schema.vitals import EXPONENT_BINS, absent
from . import engine, reference
from .direct import Runner
from .operands import Operand, sort
from .pending import Pending, Result, at_once

_runner = Runner()


def measure(tensors: Sequence[torch.Tensor | None], *, exponents: bool = False) -> Result:
    """Vitals of P tensors, each read once.

    Any mixture of float64, float32, float16, bfloat16, float8, complex (counted by its parts), integers and bool;
    of any shape and stride; sparse (duplicates added up, what is not stored counts as zeros); on any device.
    A DTensor stands for this rank's shard (``to_local()``): merge the ranks' rows for the whole.  "Subnormal" is
    meant in the tensor's own dtype.  Sums are taken in float64, in no particular order.

    The tensors are not changed, no gradient is recorded, no random number is drawn.

    Args:
        tensors: ``None`` for a tensor that is not there.
        exponents: whether to count the histogram of binary exponents too (about three times the cost on a CPU).

    Returns:
        ``VITALS`` (P,), see :mod:`gradclinic.schema.vitals`; absent rows (count -1) for ``None`` and for tensors
        that hold no values to read: meta, fake, quantized, with freed storage, or of an unknown wrapper class.
        And int64 (P, 256), or ``None`` unless asked for.
    """
    return launch(tensors, exponents=exponents).result()


def launch(tensors: Sequence[torch.Tensor | None], *, exponents: bool = False) -> Pending:
    """As :func:`measure`, but does not wait for CUDA devices: their work is put on the current stream.

    What is on the CPU has been read when this returns, so the caller may change it; what is on a CUDA device is
    read in the order of the stream.  Nothing is launched while a CUDA graph is being captured: those rows are absent.
    """
    kernel = engine.kernel()
    direct, others = sort(tensors, kernel is not None)
    parts: list[tuple[list[int], Pending]] = []
    if kernel is not None:
        for operand in others:
            if operand.fits_kernel:
                direct.add(operand.row, operand.values)
        if direct.rows:
            here = at_once(_runner.run(kernel, direct, exponents, (tensors, others)))
            if not others and len(direct.rows) == len(tensors):  # as nearly always: rows in order, none missing
                return here
            parts.append((direct.rows, here))
    for device, group in _by_device(others, kernel is not None).items():
        if device.type == "cuda" and torch.cuda.is_current_stream_capturing():
            continue
        pending = reference.launch([operand.values for operand in group], exponents)
        parts.append(([operand.row for operand in group], pending))
    zeros = [(operand.row, operand.implicit_zeros) for operand in others if operand.implicit_zeros]
    return Pending(lambda: _join(len(tensors), parts, zeros, exponents), lambda: all(part.done() for _, part in parts))


def _by_device(others: list[Operand], with_kernel: bool) -> dict[torch.device, list[Operand]]:
    """What is left to the reference."""
    groups: dict[torch.device, list[Operand]] = {}
    for operand in others:
        if not (with_kernel and operand.fits_kernel):
            groups.setdefault(operand.values.device, []).append(operand)
    return groups


def _join(rows: int, parts: list[tuple[list[int], Pending]], zeros: list[tuple[int, int]], exponents: bool) -> Result:
    """Puts each part's rows in their places, and counts the zeros that sparse tensors do not store."""
    table = absent(rows)
    histogram = np.zeros((rows, EXPONENT_BINS), np.int64) if exponents else None
    for places, pending in parts:
        some, counts = pending.result()
        table[places] = some
        if histogram is not None and counts is not None:
            histogram[places] = counts
    for row, unstored in zeros:
        if table["count"][row] >= 0:
            table["count"][row] += unstored
            table["zeros"][row] += unstored
    return table, histogram


def _forget_threads() -> None:
    global _runner
    _runner = Runner()


if hasattr(os, "register_at_fork"):  # a child has none of its parent's threads
    os.register_at_fork(after_in_child=_forget_threads)
