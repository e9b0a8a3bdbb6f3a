"""What the mean-field theory of wide random networks says about a signal and its gradient, for any activation.

No torch: an :class:`Activation` is a numpy function and its slope, :data:`ACTIVATIONS` holds torch's.  ``regime`` is
everything about very many equal layers, ``trajectory`` a network of given layers, ``critical_sigma_w`` the weights at
which gradients neither vanish nor explode.  σ_w is √fan_in times the standard deviation of the weights.
"""

from .activation import Activation
from .activations import ACTIVATIONS, celu, elu, leaky_relu
from .batchnorm import batchnorm_growth
from .correlation import (
    Phase,
    Regime,
    c_star,
    correlation_depth_scale,
    correlation_map,
    depth_scale,
    phase,
    regime,
)
from .critical import Critical, critical_sigma_w, edge_of_chaos
from .finite_width import LogNorm, log_norm
from .length import Length, State, chi, length_map, q_star
from .moments import Moments, moments
from .pairs import PairMoments, pair_moments
from .spectrum import Ensemble, largest_squared_singular_value, squared_singular_variance
from .trajectory import Trajectory, trajectory

__all__ = [
    "ACTIVATIONS",
    "Activation",
    "Critical",
    "Ensemble",
    "Length",
    "LogNorm",
    "Moments",
    "PairMoments",
    "Phase",
    "Regime",
    "State",
    "Trajectory",
    "batchnorm_growth",
    "c_star",
    "celu",
    "chi",
    "correlation_depth_scale",
    "correlation_map",
    "critical_sigma_w",
    "depth_scale",
    "edge_of_chaos",
    "elu",
    "largest_squared_singular_value",
    "leaky_relu",
    "length_map",
    "log_norm",
    "moments",
    "pair_moments",
    "phase",
    "q_star",
    "regime",
    "squared_singular_variance",
    "trajectory",
]
