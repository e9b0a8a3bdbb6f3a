"""Changes of a model in place, each of which can be taken back."""

from .graph import Part, Untraceable, edit_graphs, parts
from .journal import Journal

__all__ = ["Journal", "Part", "Untraceable", "edit_graphs", "parts"]
