"""What a check-up's measurements say of the training that has not begun: the window, and how likely it is to train."""

from .forecast import Forecast, forecast, thrown
from .measured import measured
from .signs import Signs

__all__ = ["Forecast", "Signs", "forecast", "measured", "thrown"]
