"""Plain matrices as operators."""

from __future__ import annotations

import torch
from torch import Tensor

from gradclinic.measure.jacobian import Products, Symmetric


class Counted:
    """An operator that counts its products."""

    def __init__(self, matrix: Tensor) -> None:
        self.matrix, self.products = matrix, 0
        self.rows, self.columns = matrix.shape
        self.device = matrix.device

    def times(self, vector: Tensor) -> Tensor:
        self.products += 1
        return self.matrix @ vector

    def adjoint(self, vector: Tensor) -> Tensor:
        self.products += 1
        return self.matrix.T @ vector


def operator(matrix: Tensor) -> Products:
    return Products(*matrix.shape, lambda v: matrix @ v, lambda u: matrix.T @ u)


def symmetric(matrix: Tensor) -> Symmetric:
    return Symmetric(len(matrix), lambda v: matrix @ v)


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def orthogonal(size: int, seed: int = 0) -> Tensor:
    return torch.linalg.qr(normal(size, size, seed=seed))[0]


def with_values(values: Tensor, rows: int, columns: int, seed: int = 0) -> Tensor:
    """A random rows x columns matrix with these singular values."""
    count = len(values)
    return orthogonal(rows, seed)[:, :count] @ torch.diag(values) @ orthogonal(columns, seed + 1)[:count]


def with_eigenvalues(values: Tensor, seed: int = 0) -> Tensor:
    basis = orthogonal(len(values), seed)
    return basis @ torch.diag(values) @ basis.T
