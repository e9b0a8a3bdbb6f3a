"""The guard: treats a training while it runs.  It holds back bad steps, clips spikes, and goes back to a good state."""

from .keeper import Keeper
from .settings import Guard

__all__ = ["Guard", "Keeper"]
