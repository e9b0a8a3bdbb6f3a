"""Changes of a model in place, each of which can be taken back."""

from .gate import Gate
from .graph import Part, Untraceable, edit_graphs, parts
from .journal import Journal
from .schedule import follow
from .weights import read_weight, write_weight

__all__ = ["Gate", "Journal", "Part", "Untraceable", "edit_graphs", "follow", "parts", "read_weight", "write_weight"]
