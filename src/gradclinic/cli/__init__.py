"""The command line: one file per verb.  It parses, calls a workflow and shows; it holds no logic."""

from .app import main

__all__ = ["main"]
