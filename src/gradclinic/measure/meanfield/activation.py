"""An activation function as the theory sees it: its values, its slope, and where the slope jumps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Function = Callable[[Array], Array]

#: Step of the central difference at |x| ≤ 1: the cube root of float64's precision, where the error of the formula
#: (h²) and that of rounding (eps/h) are equal, at about 4e-11.
_STEP: Final = float(np.finfo(np.float64).eps) ** (1 / 3)


@dataclass(frozen=True, slots=True)
class Activation:
    """An elementwise nonlinearity.

    ``phi`` and ``derivative`` map float64 arrays of any shape to float64 arrays of that shape.  ``breakpoints`` are
    the places where the slope jumps; integrals are split there.  A jump that is not named is found by bisection, at
    some cost in time.
    """

    name: str
    phi: Function
    derivative: Function
    breakpoints: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if not np.all(np.isfinite(self.breakpoints)):
            raise ValueError(f"breakpoints of {self.name} must be finite, not {self.breakpoints}")

    @classmethod
    def of(
        cls,
        phi: Function,
        derivative: Function | None = None,
        breakpoints: tuple[float, ...] = (),
        name: str | None = None,
    ) -> Activation:
        """A user's own activation.

        Args:
            phi: float64 array to float64 array of the same shape.
            derivative: its slope; central differences where none is given.  They are right to about 1e-10 relative to
                the third derivative, but blur a slope's jump over 1e-5 unless ``breakpoints`` names it.
            breakpoints: where the slope jumps.
            name: for messages; the function's own name where none is given.

        Raises:
            ValueError: ``phi`` takes no arrays or changes their shape, or a breakpoint is not finite.
        """
        name = name or str(getattr(phi, "__name__", "custom"))
        probe = np.linspace(-1.0, 1.0, 6).reshape(2, 3)
        try:
            shape = np.shape(phi(probe))
        except TypeError as error:  # math.tanh and the like
            raise ValueError(f"{name} must take numpy arrays: {error}") from error
        if shape != probe.shape:
            raise ValueError(f"{name} must work element by element, but turned {probe.shape} into {shape}")
        return cls(name, phi, derivative or _differences(phi, breakpoints), tuple(breakpoints))


def _differences(phi: Function, breakpoints: tuple[float, ...]) -> Function:
    def derivative(x: Array) -> Array:
        step = _STEP * np.maximum(1.0, np.abs(x))
        for point in breakpoints:
            # A difference across a jump would average both slopes; nearer than a step, its own side's nearest is taken.
            x = np.where(np.abs(x - point) < step, point + np.copysign(step, x - point), x)
        above, below = x + step, x - step
        # Divided by what was really added: x ± step is rounded.
        return np.asarray((phi(above) - phi(below)) / (above - below), dtype=np.float64)

    return derivative
