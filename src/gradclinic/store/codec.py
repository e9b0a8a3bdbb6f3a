"""Dataclasses to JSON and back, by introspection of their annotations.

A dataclass becomes the list of its values in the order of its fields; the file itself says once which
fields those are (:func:`fields_of`).  So rows are short, a new field with a default needs no change here,
an old file reads with that default, and a field that no longer exists is passed over.
"""

from __future__ import annotations

import dataclasses
import json
import math
import types
import typing
import zlib
from collections.abc import Callable
from functools import cache
from operator import attrgetter
from typing import Any, Final, TypeVar

import numpy as np

from . import arrays, plain

#: Encodes a value; arrays are appended to the list, the rest is returned as JSON-ready data.
Encode = Callable[[Any, list[bytes]], Any]
#: Decodes it again, given the arrays' bytes (None where they were thinned out).
Decode = Callable[[Any, bytes | None], Any]

_DEFLATE_HEAD: Final = 1024  # characters; from there on (ledgers) deflating leaves an eighth
_LARGEST_HEAD: Final = 1 << 28  # bytes; no ledger comes near, and a damaged one must not fill the memory

#: What decoding a damaged or hostile cell may raise.
DAMAGE: Final = (ValueError, TypeError, KeyError, IndexError, OverflowError, RecursionError, zlib.error)

Row = TypeVar("Row")

_to_json: Final = json.JSONEncoder(allow_nan=False, separators=(",", ":")).encode


def to_cells(row: Any) -> tuple[str | bytes, bytes | None]:
    """A dataclass as the two cells of its table row: JSON text (deflated where long) and the arrays' bytes.

    Raises:
        TypeError, ValueError, AttributeError, RecursionError: where a value is not of its annotated type.
    """
    parts: list[bytes] = []
    text = _to_json(_encoder(row)(row, parts))
    head: str | bytes = text if len(text) < _DEFLATE_HEAD else zlib.compress(text.encode("ascii"), 1)
    return head, b"".join(parts) if parts else None


def _encoder(row: Any) -> Encode:
    of: Any = type(row)
    return encoder(of)


def from_json(head: str | bytes) -> Any:
    """The JSON of a head cell.

    Raises:
        ValueError, zlib.error, RecursionError: where it is damaged.
    """
    if isinstance(head, bytes):
        head = zlib.decompressobj().decompress(head, _LARGEST_HEAD).decode("ascii")
    return json.loads(head)


def fields_of(*classes: type) -> dict[str, list[str]]:
    """The fields of these dataclasses and of all that they contain, by class name, in the order of the cells."""
    found: dict[str, list[str]] = {}

    def visit(annotation: Any) -> None:
        if dataclasses.is_dataclass(annotation) and isinstance(annotation, type):
            hints = typing.get_type_hints(annotation)
            found[annotation.__name__] = [field.name for field in dataclasses.fields(annotation)]
            for hint in hints.values():
                visit(hint)
        for argument in typing.get_args(annotation):
            visit(argument)

    for each in classes:
        visit(each)
    return found


def _core(annotation: Any) -> Any:
    """``X`` for ``X | None``; None is let through everywhere."""
    if typing.get_origin(annotation) not in (types.UnionType, typing.Union):
        return annotation
    some = [each for each in typing.get_args(annotation) if each is not types.NoneType]
    if len(some) != 1:
        raise TypeError(f"{annotation} cannot be stored: a field has one type, or that type and None")
    return some[0]


@cache
def encoder(annotation: Any) -> Encode:
    """The encoder of values of a type.

    Raises:
        TypeError: for an annotation that records do not know.
    """
    annotation = _core(annotation)
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if dataclasses.is_dataclass(annotation) and isinstance(annotation, type):
        hints = typing.get_type_hints(annotation)
        names = [field.name for field in dataclasses.fields(annotation)]
        values, encoders = _getter(names), [encoder(hints[name]) for name in names]
        return lambda row, parts: [
            None if value is None else encode(value, parts) for value, encode in zip(values(row), encoders, strict=True)
        ]
    if annotation is float:
        return lambda value, parts: float(value) if math.isfinite(value) else repr(float(value))
    if annotation in (int, str, bool):
        return lambda value, parts: annotation(value)
    if origin is typing.Literal:
        return lambda value, parts: str(value)
    if origin is tuple and len(arguments) == 2 and arguments[1] is Ellipsis:
        item = encoder(arguments[0])
        return lambda value, parts: [None if each is None else item(each, parts) for each in value]
    if origin is tuple:
        items = [encoder(each) for each in arguments]
        return lambda value, parts: [
            None if each is None else encode(each, parts) for each, encode in zip(value, items, strict=True)
        ]
    if origin is np.ndarray:
        return _encode_array
    if origin is dict or annotation is Any:
        return lambda value, parts: plain.encode(value)
    raise TypeError(f"values of type {annotation} cannot be stored")


def _getter(names: list[str]) -> Callable[[Any], tuple[Any, ...]]:
    if len(names) > 1:
        return attrgetter(*names)
    return lambda row: tuple(getattr(row, name) for name in names)


def _encode_array(value: Any, parts: list[bytes]) -> list[Any]:
    header, data = arrays.pack(np.asarray(value))
    offset = sum(map(len, parts))
    parts.append(data)
    return [*header, offset, len(data)]


class Decoder:
    """Turns cells back into dataclasses, as the fields and layouts of one file say."""

    def __init__(self, fields: dict[str, list[str]], layouts: dict[str, Any]) -> None:
        """Raises ValueError where the file's own description of itself is damaged."""
        if not all(isinstance(names, list) for names in fields.values()):
            raise ValueError("the list of fields is damaged")
        self._fields = fields
        self._layouts = {name: arrays.parse(layout) for name, layout in layouts.items()}
        self._known: dict[Any, Decode] = {}

    def row(self, of: type[Row], head: str | bytes, body: bytes | None) -> Row:
        """The dataclass that the two cells hold; arrays are None where ``body`` is.

        Raises:
            ValueError, TypeError, KeyError, IndexError, RecursionError, zlib.error: where they are damaged
                (:data:`DAMAGE`).
        """
        row = self._for(of)(from_json(head), body)
        if not isinstance(row, of):
            raise ValueError(f"{type(row).__name__} where {of.__name__} should be")
        return row

    def _for(self, annotation: Any) -> Decode:
        if annotation not in self._known:
            self._known[annotation] = self._make(_core(annotation))
        return self._known[annotation]

    def _make(self, annotation: Any) -> Decode:
        origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
        if dataclasses.is_dataclass(annotation) and isinstance(annotation, type):
            return self._dataclass(annotation)
        if annotation in (float, int, str, bool):
            return lambda value, body: None if value is None else annotation(value)
        if origin is tuple and len(arguments) == 2 and arguments[1] is Ellipsis:
            item = self._for(arguments[0])
            return lambda value, body: None if value is None else tuple([item(each, body) for each in value])
        if origin is tuple:
            items = [self._for(each) for each in arguments]
            return lambda value, body: (
                None
                if value is None
                else tuple([decode(each, body) for each, decode in zip(value, items, strict=True)])
            )
        if origin is np.ndarray:
            return self._array
        if origin is typing.Literal:
            return lambda value, body: value
        return lambda value, body: plain.decode(value)

    def _array(self, value: Any, body: bytes | None) -> Any:
        if value is None or body is None:
            return None
        *header, offset, size = value
        return arrays.unpack(header, body[offset : offset + size], self._layouts)

    def _dataclass(self, of: type) -> Decode:
        stored = self._fields[of.__name__]
        hints = typing.get_type_hints(of)
        known = {field.name for field in dataclasses.fields(of)}
        plan = [(at, name, self._for(hints[name])) for at, name in enumerate(stored) if name in known]
        width = len(stored)

        def decode(value: Any, body: bytes | None) -> Any:
            if value is None:
                return None
            if len(value) != width:
                raise ValueError(f"{len(value)} values where {of.__name__} has {width}")
            return of(**{name: inner(value[at], body) for at, name, inner in plan})

        return decode
