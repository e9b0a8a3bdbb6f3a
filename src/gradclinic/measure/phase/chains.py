"""Layers in a row: links that follow each other and are alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gradclinic.schema.phase import Shortcut, Unrecognized

from .links import Link, link
from .parts import Product, Value
from .sums import is_shortcut

#: Where leaky ReLUs and ELUs of different settings have different slopes.
_LEFT = np.array([-1.0])


@dataclass(frozen=True, slots=True)
class Chain:
    """``links[i]`` joins layer i to layer i + 1."""

    links: tuple[Link, ...]
    branch: bool  #: inside a shortcut

    @property
    def products(self) -> list[Value]:
        """The layers, from the input; the last one is above the last link."""
        lowest = self.links[0].lower
        assert lowest is not None
        return [lowest, *(one.upper for one in self.links)]


def chains(values: Sequence[Value]) -> tuple[list[Chain], list[Unrecognized]]:
    """All chains in order, and the layers that are in none."""
    inside = _inside(values)
    links = {value.place: link(values, value) for value in values if isinstance(value.part, Product)}
    for one in links.values():
        if one.lower is not None and _within(inside, one.lower) != _within(inside, one.upper):
            one.lower, one.reason = None, "its input is where a branch beside a shortcut begins"
    joined = [one for one in links.values() if one.lower is not None]
    followed = _followed(links)
    found: list[list[Link]] = []
    ends: dict[int, list[Link]] = {}  # the chain that ends at a layer
    for one in joined:
        assert one.lower is not None
        chain = ends.get(one.lower.place)
        if chain is not None and followed[one.lower.place] == one.upper.place and _alike(chain[-1], one):
            chain.append(one)
        else:
            chain = [one]
            found.append(chain)
        ends[one.upper.place] = chain
    return [Chain(tuple(chain), _within(inside, chain[0].upper)) for chain in found], _lone(values, links)


def _followed(links: dict[int, Link]) -> dict[int, int]:
    """Which of the layers after each goes on its chain: the one with the most layers behind it."""
    height: dict[int, int] = {}
    best: dict[int, int] = {}
    for place, one in sorted(links.items(), reverse=True):
        if one.lower is None:
            continue
        lower, own = one.lower.place, 1 + height.get(place, 0)
        if own >= height.get(lower, 0):  # of equal ones the first
            height[lower], best[lower] = own, place
    return best


def _within(inside: int, value: Value) -> bool:
    return bool(inside >> value.place & 1)


def _alike(last: Link, following: Link) -> bool:
    def kind(one: Link) -> tuple[object, ...]:
        norm = one.normalization.name if one.normalization else ""
        # An activation's settings show in its slope on the left.
        slope = one.activation.derivative(_LEFT).tolist()
        return one.activation.name, slope, norm, one.normalized_first

    return kind(last) == kind(following)


def _inside(values: Sequence[Value]) -> int:
    """Places inside a branch of a shortcut, as bits."""
    bits = 0
    for value in values:
        if is_shortcut(values, value):
            a, b = (values[place].ancestors for place in value.inputs)
            bits |= a ^ b
    return bits


def shortcuts(values: Sequence[Value]) -> tuple[Shortcut, ...]:
    """The sums of a signal and a branch."""
    found = []
    for value in values:
        if is_shortcut(values, value):
            a, b = (values[place] for place in value.inputs)
            # The stream is what the branch was made of; where each was made of both (a projection), none is.
            if b.ancestors & ~a.ancestors == 0:
                a, b = b, a
            plain = a.ancestors & ~b.ancestors == 0 and a.square > 0
            found.append(Shortcut(value.path, value.square, b.square / a.square if plain else None))
    return tuple(found)


def _lone(values: Sequence[Value], links: dict[int, Link]) -> list[Unrecognized]:
    joined = [one for one in links.values() if one.lower is not None]
    within = {value.place for one in joined if one.lower is not None for value in (one.lower, one.upper)}
    drives = 0
    for one in joined:
        for place in one.driven_by:
            drives |= values[place].ancestors
    found: dict[str, str] = {}
    for place, one in links.items():
        if place in within or not isinstance(one.upper.part, Product):
            continue
        if drives >> place & 1:
            found[one.upper.part.where] = "feeds a recurrence, where it is counted as a bias"
        else:
            reason = f"{one.reason}, and no layer follows it through one activation alone"
            found.setdefault(one.upper.part.where, reason)
    return [Unrecognized(where, reason) for where, reason in found.items()]
