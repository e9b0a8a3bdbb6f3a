"""How far a model still tells its inputs apart, module by module, in one forward pass."""

from __future__ import annotations

from .collapse import representations

__all__ = ["representations"]
