"""Several tensors as one flat vector of real numbers, in float64."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Layout:
    """Where each of several tensors lies in one flat float64 vector.

    A complex element is two real ones: autograd's gradient of a complex leaf, taken apart in this way, is the
    gradient by the real and by the imaginary part, so all products stay real and adjoint to each other.
    """

    shapes: tuple[torch.Size, ...]
    dtypes: tuple[torch.dtype, ...]
    devices: tuple[torch.device, ...]

    @classmethod
    def of(cls, tensors: Sequence[Tensor]) -> Layout:
        return cls(tuple(t.shape for t in tensors), tuple(t.dtype for t in tensors), tuple(t.device for t in tensors))

    @property
    def real_shapes(self) -> tuple[torch.Size, ...]:
        """Their shapes; a complex one has a last dimension of 2 more."""
        return tuple(
            torch.Size([*shape, 2]) if dtype.is_complex else shape
            for shape, dtype in zip(self.shapes, self.dtypes, strict=True)
        )

    @property
    def sizes(self) -> list[int]:
        """Number of real elements of each."""
        return [shape.numel() for shape in self.real_shapes]

    @property
    def size(self) -> int:
        return sum(self.sizes)

    @property
    def home(self) -> torch.device:
        """Where the flat vector lies: with the first tensor; on the CPU where its device has no float64."""
        first = self.devices[0] if self.devices else torch.device("cpu")
        return torch.device("cpu") if first.type == "mps" else first

    @property
    def epsilon(self) -> float:
        """The coarsest relative rounding among the dtypes."""
        return max((torch.finfo(dtype).eps for dtype in self.dtypes), default=0.0)

    def join(self, tensors: Sequence[Tensor | None], dtype: torch.dtype = torch.float64) -> Tensor:
        """The flat vector, shape (size,), of ``dtype``; differentiable.  None stands for zeros (autograd's unused)."""
        home = self.home
        parts = [torch.zeros(0, dtype=dtype, device=home)]
        for tensor, size in zip(tensors, self.sizes, strict=True):
            if tensor is None:
                parts.append(torch.zeros(size, dtype=dtype, device=home))
                continue
            if tensor.layout != torch.strided:
                tensor = tensor.to_dense()
            if tensor.is_complex():
                tensor = torch.view_as_real(tensor.resolve_conj())
            parts.append(tensor.to(device=home, dtype=dtype).reshape(-1))
        return torch.cat(parts)

    def split(self, vector: Tensor) -> list[Tensor]:
        """The tensors in their shapes, dtypes and devices; differentiable."""
        tensors = []
        for part, shape, dtype, device in zip(
            torch.split(vector, self.sizes), self.shapes, self.dtypes, self.devices, strict=True
        ):
            if dtype.is_complex:
                real = part.to(device=device, dtype=dtype.to_real()).reshape(*shape, 2)
                tensors.append(torch.complex(real[..., 0], real[..., 1]))  # view_as_complex minds where it lies
            else:
                tensors.append(part.to(device=device, dtype=dtype).reshape(shape))
        return tensors
