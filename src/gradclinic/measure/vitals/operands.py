"""Turns whatever a step holds in its gradients into memory that can be measured."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import torch

#: dtypes of the kernel, by its codes (kernel.FLOAT64 and so on; not imported, since that would compile it).
CODES: Final[dict[torch.dtype, int]] = {torch.float64: 0, torch.float32: 1, torch.float16: 2, torch.bfloat16: 3}
_PLAIN: Final = (torch.Tensor, torch.nn.Parameter)
_SPARSE_ROWS: Final = (torch.sparse_csr, torch.sparse_csc, torch.sparse_bsr, torch.sparse_bsc)
#: Below this an address may be an offset into storage that is not there: FSDP frees the storage of a parameter and
#: keeps the tensor, whose address is then 0 plus its offset.  Where a system does map memory so low, the only
#: consequence is a slower look.
_SUSPECT: Final = 1 << 40


class Operand(NamedTuple):
    """One tensor to measure: strided, real, one-dimensional, without gaps, on the CPU or a CUDA device."""

    row: int
    values: torch.Tensor
    implicit_zeros: int = 0  #: elements of a sparse tensor that are not stored

    @property
    def fits_kernel(self) -> bool:
        """Whether the kernel can read it too."""
        return self.values.is_cpu and self.values.dtype in CODES


class Direct(NamedTuple):
    """CPU tensors that the kernel can read where they are: four columns of equal length."""

    rows: list[int]
    addresses: list[int]
    lengths: list[int]
    codes: list[int]

    def add(self, row: int, values: torch.Tensor) -> None:
        """Appends a contiguous CPU tensor of one of the kernel's dtypes; the caller keeps it alive."""
        self.rows.append(row)
        self.addresses.append(values.data_ptr())
        self.lengths.append(values.numel())
        self.codes.append(CODES[values.dtype])


def sort(tensors: Sequence[torch.Tensor | None], with_kernel: bool) -> tuple[Direct, list[Operand]]:
    """Splits tensors into those that the kernel reads where they are (if there is one), and the rest made readable.

    A tensor that holds no values to read (``None``, meta, fake, quantized, freed) is in neither.  The operands own
    what had to be copied: keep them until the kernel has returned.
    """
    direct, others = Direct([], [], [], []), list[Operand]()
    # Half a microsecond per ordinary tensor: nothing is looked at twice.
    add_row, add_address, add_length, add_code = (column.append for column in direct)
    for row, tensor in enumerate(tensors):
        if tensor is None:
            continue
        if with_kernel and type(tensor) in _PLAIN and tensor.is_cpu:
            code = CODES.get(tensor.dtype)
            try:
                if code is not None and tensor.is_contiguous() and not tensor.is_neg():
                    address = tensor.data_ptr()
                    if address > _SUSPECT:
                        add_row(row)
                        add_address(address)
                        add_length(tensor.numel())
                        add_code(code)
                        continue
            except RuntimeError:  # sparse, or otherwise without memory of its own
                pass
        operand = readable(row, tensor)
        if operand is not None:
            others.append(operand)
    return direct, others


def readable(row: int, tensor: torch.Tensor) -> Operand | None:
    """Makes any tensor readable; ``None`` where it holds nothing to read."""
    try:
        with torch.no_grad():
            return _readable(row, tensor)
    except Exception:  # a foreign subclass or layout may raise anything; its row then says "absent"
        return None


def _readable(row: int, tensor: Any) -> Operand | None:
    if hasattr(tensor, "to_local"):  # a DTensor
        tensor = tensor.to_local()
    if type(tensor) not in _PLAIN:
        # A copy of a subclass that only adds to a tensor is a tensor; a fake or wrapped one stays what it is.
        tensor = tensor.detach().clone()
        if type(tensor).__torch_dispatch__ is not torch.Tensor.__torch_dispatch__:
            return None
        tensor = tensor.as_subclass(torch.Tensor)
    if tensor.is_meta or tensor.is_quantized:
        return None
    tensor, implicit_zeros = _stored(tensor.detach())
    if tensor.is_complex():
        tensor, implicit_zeros = torch.view_as_real(tensor.resolve_conj()), 2 * implicit_zeros
    if tensor.numel() and tensor.untyped_storage().nbytes() == 0:
        return None
    if tensor.device.type not in ("cpu", "cuda"):
        tensor = tensor.cpu()  # the reference needs float64 and segmented sums, which others (MPS) lack
    return Operand(row, _gapless(tensor.resolve_neg()), implicit_zeros)


def _stored(tensor: torch.Tensor) -> tuple[torch.Tensor, int]:
    """The values that a tensor stores, duplicates added up, and the number of zeros that it does not store."""
    if tensor.is_nested:
        return tensor.values(), 0
    if tensor.layout == torch.strided:
        return tensor, 0
    if tensor.layout == torch.sparse_coo:
        values = tensor.coalesce().values()
    elif tensor.layout in _SPARSE_ROWS:
        values = tensor.values()
    else:
        return tensor.to_dense(), 0
    return values, tensor.numel() - values.numel()


def _gapless(tensor: torch.Tensor) -> torch.Tensor:
    """The same elements in one dimension: in the order of memory where that saves a copy, for the order is free."""
    order = sorted(range(tensor.dim()), key=tensor.stride, reverse=True)
    ordered = tensor.permute(order)
    return (ordered if ordered.is_contiguous() else tensor.contiguous()).view(-1)
