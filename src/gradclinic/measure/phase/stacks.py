"""Chains of layers as stacks: what was measured beside what the theory says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite, sqrt

from gradclinic.schema.phase import Layer, Stack, StackKind

from .chains import Chain
from .normalized import Normalized, NoTheory, normalized
from .padding import kept
from .parts import Product, Value
from .theory import Followed, Scales, followed
from .words import words

#: Isometry above which a few directions hold most of the weights, which the theory takes for independent: for square
#: matrices it is the spectrum's second moment, and 1 ± .05 at width 64.
_ALIKE = 8.0


@dataclass(frozen=True, slots=True)
class _Layer:
    value: Value
    part: Product
    scales: Scales
    q: float


def stack(chain: Chain, values: Sequence[Value]) -> Stack:
    """Of a chain of layers."""
    border = kept([one.part.windows for one in chain.products if isinstance(one.part, Product)])
    layers = _layers(chain, border)
    q_input = values[layers[0].value.inputs[0]].square
    found, reason = _theory(chain, layers, q_input)
    deltas = [None if one.part.delta is None else float(one.part.delta) for one in layers]
    shown = []
    for i, one in enumerate(layers):
        inner = i < len(chain.links)
        shown.append(
            Layer(
                where=one.part.where,
                sigma_w=one.scales.sigma_w,
                sigma_b=one.scales.sigma_b,
                isometry=one.part.weights.isometry,
                q=one.q,
                q_theory=found.q[i] if found else None,
                growth=_ratio(deltas[i], deltas[i + 1]) if inner else None,
                growth_theory=found.growth[i] if found and inner else None,
            )
        )
    # A head may come after the last step.
    steps = [one.part.weight for one in layers[:-1]]
    kind: StackKind = "recurrence" if len(steps) > 1 and len(set(steps)) == 1 else "layers"
    norm = chain.links[0].normalization
    name = norm.name if norm else ""
    theory = found.theory if found else None
    return Stack(
        kind=kind,
        layers=tuple(shown),
        depth=len(layers),
        activation=chain.links[0].activation.name,
        normalization=name,
        q_input=q_input,
        theory=theory,
        reason=reason,
        notes=_notes(chain, layers, min(border)),
        words=words(kind, len(layers), name, theory, reason, shown),
    )


def _layers(chain: Chain, border: Sequence[float]) -> list[_Layer]:
    """Whatever scales the signal on its way is counted as part of the weights that it goes through."""
    found = []
    for i, value in enumerate(chain.products):
        assert isinstance(value.part, Product)
        below = chain.links[i - 1] if i else None
        above = chain.links[i] if i < len(chain.links) else None
        before, drive = (above.before, above.drive) if above else (1.0, 0.0)
        weights = value.part.weights
        scales = Scales(
            sqrt(weights.square * (below.after if below else 1.0) * before * border[i]),
            sqrt(weights.bias_square * before + drive),
            below.pooled_after if below else 1.0,
            above.pooled_before if above else 1.0,
        )
        # A normalised value's mean square says nothing: that of the product then.
        entry = above.entry if above is not None and above.normalization is None else None
        found.append(_Layer(value, value.part, scales, (entry or value).square))
    return found


def _theory(chain: Chain, layers: Sequence[_Layer], q_input: float) -> tuple[Followed | None, str]:
    if chain.branch:
        return None, "inside a shortcut: not described by this theory"
    if not all(isfinite(one.scales.sigma_w) and isfinite(one.scales.sigma_b) for one in layers):
        return None, "not finite, in its weights or in what is added to it"
    scales = [one.scales for one in layers]
    if chain.links[0].normalization is None:
        count = sum(one.part.weights.count for one in layers)
        return followed(chain.links[0].activation, scales, q_input, count), ""
    between = [
        Normalized(link.activation, link.normalization, link.normalized_first)
        for link in chain.links
        if link.normalization is not None
    ]
    try:
        return normalized(between, [one.sigma_w for one in scales], [one.sigma_b for one in scales], q_input), ""
    except NoTheory as error:
        return None, str(error)


def _ratio(here: float | None, above: float | None) -> float | None:
    return here / above if here is not None and above else None


def _notes(chain: Chain, layers: Sequence[_Layer], border: float) -> tuple[str, ...]:
    found = list(dict.fromkeys(note for link in chain.links for note in link.notes))
    if border < 1:
        found.append("zeros around the image, counted as smaller weights")
    if any(link.driven_by for link in chain.links):
        found.append("what is added before the activation is counted as a bias")
    alike = [one.part.where for one in layers if (one.part.weights.isometry or 0.0) > _ALIKE]
    if alike:
        found.append(f"weights that are not independent, as the theory takes them to be: {', '.join(alike)}")
    return tuple(found)
