"""Kernels with a formula for every derivative."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel


@contextlib.contextmanager
def plain_kernels() -> Iterator[None]:
    """Within, attention and recurrent layers are computed step by step in place of one fused call.

    The fused ones (flash attention, oneDNN's and cuDNN's LSTM, the encoder's fast path) compute the same function but
    have a first derivative only, backwards.  Costs memory: attention keeps its matrix of weights.
    """
    cudnn: Any = torch.backends.cudnn
    onednn: Any = torch.backends.mkldnn
    mha = torch.backends.mha
    before = cudnn.enabled, onednn.enabled, mha.get_fastpath_enabled()
    with sdpa_kernel(SDPBackend.MATH):
        # Not their flags(): that passes on every other setting too, and warns of some.
        cudnn.enabled, onednn.enabled = False, False
        mha.set_fastpath_enabled(False)
        try:
            yield
        finally:
            cudnn.enabled, onednn.enabled = before[:2]
            mha.set_fastpath_enabled(before[2])
