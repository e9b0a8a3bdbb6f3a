"""The report as one HTML file that works offline, and as a fragment for notebooks."""

from .page import fragment, page

__all__ = ["fragment", "page"]
