"""The types of value that several verbs take."""

from __future__ import annotations

from pathlib import Path

import click

#: A file to write; whether it can be written is the workflow's question.
FILE = click.Path(path_type=Path)
