"""Free-form values (``dict[str, Any]``) as strict JSON that reads back exactly: tuples, nan and all."""

from __future__ import annotations

import math
from typing import Any, Final

#: The key of the objects that stand for what JSON lacks, e.g. ``{"$": "float", "of": "nan"}``.
_TAG: Final = "$"


def encode(value: Any) -> Any:
    """``value`` as JSON-ready data.  What is neither data nor number is stored as its text."""
    if value is None or value is True or value is False or type(value) is str:
        return value
    if type(value) is float:
        return value if math.isfinite(value) else {_TAG: "float", "of": repr(value)}
    if isinstance(value, bool | int):
        return int(value)
    if isinstance(value, float):
        return encode(float(value))
    if isinstance(value, tuple):
        return {_TAG: "tuple", "of": [encode(item) for item in value]}
    if isinstance(value, list):
        return [encode(item) for item in value]
    if isinstance(value, dict):
        if all(type(key) is str for key in value) and _TAG not in value:
            return {key: encode(item) for key, item in value.items()}
        return {_TAG: "dict", "of": [[encode(key), encode(item)] for key, item in value.items()]}
    if hasattr(value, "tolist"):  # numpy's and torch's scalars and arrays
        return encode(value.tolist())
    return str(value)


def decode(value: Any) -> Any:
    """What :func:`encode` encoded.

    Raises:
        ValueError, TypeError: for data that it could not have written.
    """
    if isinstance(value, list):
        return [decode(item) for item in value]
    if not isinstance(value, dict):
        return value
    if _TAG not in value:
        return {key: decode(item) for key, item in value.items()}
    tag, content = value[_TAG], value.get("of")
    if tag == "float":
        return float(content)  # type: ignore[arg-type]
    if tag == "tuple":
        return tuple(decode(item) for item in content)  # type: ignore[union-attr]
    if tag == "dict":
        return {decode(key): decode(item) for key, item in content}  # type: ignore[union-attr]
    raise ValueError(f"unknown tag {tag!r}")
