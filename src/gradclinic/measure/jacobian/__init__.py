"""Matrix-free linear algebra of derivatives: Jacobians, their spectra, and the curvature of a loss.

``Jacobian`` and its kin give products without the matrix; ``spectrum`` finds the extreme singular values and the
spread, ``largest_eigenvalues`` the top of a symmetric operator; ``split`` takes a closure ``loss(model, batch)``
apart, and ``gauss_newton``, ``hessian_product`` and ``largest_curvature`` are made of its parts.  No state of the
model, the generators or the gradients changes.  Whatever stands in the way is a :class:`NoProduct`.
"""

from __future__ import annotations

from .blocks import BlockSpectrum, block_spectra, model_spectrum
from .curvature import gauss_newton
from .exceptions import NoForwardMode, NoProduct, NoSecondDerivative, NoSplit, NotConnected, NotFinite
from .golub_kahan import spectrum
from .gram import gram_bound
from .hessian import hessian_product
from .lanczos import Eigenvalues, largest_eigenvalues
from .largest import Curvature, largest_curvature
from .operators import Operator, Products, Symmetric
from .products import Jacobian
from .pure import input_jacobian, parameter_jacobian
from .spectrum import Extreme, Spectrum, exact_spectrum
from .split import Split, split

__all__ = [
    "BlockSpectrum",
    "Curvature",
    "Eigenvalues",
    "Extreme",
    "Jacobian",
    "NoForwardMode",
    "NoProduct",
    "NoSecondDerivative",
    "NoSplit",
    "NotConnected",
    "NotFinite",
    "Operator",
    "Products",
    "Spectrum",
    "Split",
    "Symmetric",
    "block_spectra",
    "exact_spectrum",
    "gauss_newton",
    "gram_bound",
    "hessian_product",
    "input_jacobian",
    "largest_curvature",
    "largest_eigenvalues",
    "model_spectrum",
    "parameter_jacobian",
    "spectrum",
    "split",
]
