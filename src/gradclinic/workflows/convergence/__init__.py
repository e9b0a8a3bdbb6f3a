"""``gradclinic.Convergence``: has this training converged, or does it only stand still?"""

from .state import State, Verdict
from .stopping import Convergence

__all__ = ["Convergence", "State", "Verdict"]
