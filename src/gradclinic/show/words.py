"""Identifiers and numbers as people read them; shared by the terminal, the page and the status line."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Sequence
from itertools import pairwise
from numbers import Integral, Real
from typing import Any

CONDITION_WORDS: dict[str, str] = {
    "vanishing_gradient": "Vanishing gradient",
    "exploding_gradient": "Exploding gradient",
    "non_finite": "Not a number (nan or inf)",
    "zero_gradient": "Gradient exactly zero",
    "dead_units": "Dead units",
    "saturated_units": "Saturated units",
    "rank_collapse": "Different inputs look the same inside",
    "stalled_update": "Weights hardly move",
    "divergence": "Divergence",
    "oscillation": "Oscillation",
    "loss_spike": "Loss spike",
    "plateau": "Plateau",
    "disconnected_parameter": "Parameter without a gradient",
    "wrong_objective": "Wrong objective",
    "wrong_gradient": "Wrong gradient",
    "initial_scale": "Out of scale at the start",
    "precision_headroom": "Little room in the number format",
    "converged": "Converged",
}

CAUSE_WORDS: dict[str, str] = {
    "saturating_activation": "saturating activation",
    "unbounded_activation": "unbounded activation",
    "weight_scale_small": "weights start too small",
    "weight_scale_large": "weights start too large",
    "symmetric_init": "all units start equal",
    "missing_shortcut": "too deep without shortcuts",
    "normalization_depth": "normalisation in a deep net",
    "normalization_placement": "normalisation in the wrong place",
    "recurrent_contraction": "the recurrence contracts",
    "recurrent_expansion": "the recurrence expands",
    "learning_rate_high": "learning rate too high",
    "learning_rate_low": "learning rate too low",
    "optimizer_epsilon": "optimizer's epsilon",
    "weight_decay_high": "weight decay too high",
    "input_scale": "scale of the inputs",
    "target_scale": "scale of the targets",
    "loss_reduction": "how the loss is averaged",
    "loss_mismatch": "loss does not fit the task",
    "loss_broadcast": "shapes broadcast in the loss",
    "output_activation": "activation on the output",
    "empty_target": "empty targets",
    "gradient_ascent": "the loss is climbed, not descended",
    "detached_graph": "cut off from the loss",
    "frozen_parameter": "frozen, or in no optimizer",
    "precision_overflow": "too large for the number format",
    "precision_underflow": "too small for the number format",
    "precision_rounding": "updates lost to rounding",
    "invalid_operation": "an undefined operation",
    "clip_before_unscale": "clipped before unscaling",
    "optimizer_order": "order of the optimizer's calls",
    "wrong_backward": "hand-written backward is wrong",
    "convergence": "it has learned what it can",
    "unknown": "cause not known",
}

KIND_WORDS: dict[str, str] = {
    "activation": "activations",
    "weight": "weights",
    "normalization": "normalisation",
    "shortcut": "shortcuts",
    "loss": "loss",
    "other": "other operations",
}

STATUS_WORDS: dict[str, str] = {
    "running": "still running",
    "finished": "finished",
    "failed": "ended by an error",
    "interrupted": "interrupted",
    "killed": "killed",
}

VERDICT_SYMBOLS: dict[str, str] = {"healthy": "✓", "sick": "✗", "undecided": "?"}

#: What a terminal without Unicode shows instead.
_ASCII: dict[str, str] = {
    "✓": "+", "✗": "x", "…": "...", "→": "->", "←": "<-", "×": "x", "·": "-", "–": "-", "—": "-", "−": "-", "‖": "||",
    "δ": "delta", "Δ": "d", "∇": "grad ", "≤": "<=", "≥": ">=", "≈": "~", "√": "sqrt ", "²": "^2", "³": "^3",
    "λ": "lambda", "ρ": "rho", "σ": "sigma", "χ": "chi", "β": "beta", "ξ": "xi", "π": "pi", "α": "alpha", "ε": "eps",
    "φ": "phi", "≪": "<<", "≫": ">>", "⟨": "<", "⟩": ">", "∞": "inf", "“": '"', "”": '"', "‘": "'", "’": "'", "ᵀ": "^T",
    "▸": ">", "│": "|", "┃": "|", "─": "-", "⚠": "!", "±": "+/-", "µ": "u", "‑": "-",
}  # fmt: skip

_BLOCKS = "▁▂▃▄▅▆▇█"
_ASCII_LEVELS = "_.-=*#"


def condition(identifier: str) -> str:
    """An identifier of a condition in words; an unknown one is spelt out."""
    return CONDITION_WORDS.get(identifier, _spelt(identifier).capitalize())


def cause(identifier: str) -> str:
    """An identifier of a cause in words; an unknown one is spelt out."""
    return CAUSE_WORDS.get(identifier, _spelt(identifier))


def label(name: str) -> str:
    """A key of evidence as a label: ``"total_decades"`` gives ``"total decades"``."""
    return _spelt(name)


def _spelt(identifier: str) -> str:
    return identifier.replace("_", " ")


def plain(text: Any) -> str:
    r"""``text`` without control characters: names in a record are untrusted and may carry escape sequences.

    Line breaks and tabs become spaces; other control, format and surrogate characters are shown as ``\x1b``.
    """
    return "".join(_plain(character) for character in str(text))


def _plain(character: str) -> str:
    if character in "\n\t\r":
        return " "
    # Cc control, Cf format (right-to-left overrides), Cs lone surrogates (cannot be encoded).
    if unicodedata.category(character) in ("Cc", "Cf", "Cs"):
        return character.encode("unicode_escape", "surrogatepass").decode("ascii")
    return character


def ascii_only(text: str) -> str:
    """``text`` for a terminal that cannot show more than ASCII."""
    return "".join(_ascii(character) for character in text)


def _ascii(character: str) -> str:
    if character < "\x7f":
        return character
    if character in _ASCII:
        return _ASCII[character]
    return unicodedata.normalize("NFKD", character).encode("ascii", "ignore").decode("ascii") or "?"


def number(value: Any, digits: int = 3) -> str:
    """A number in ``digits`` significant digits, less one beside an exponent; whole ones in full, ``None`` as "–"."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Integral):
        return f"{int(value):,}".replace("-", "−")
    if not isinstance(value, Real):
        return plain(value)
    value = float(value)
    if not math.isfinite(value):
        return repr(value)
    if value == 0 or 1e-3 <= abs(value) < 1e4:
        text = f"{value:.{digits}g}" if abs(value) < 1000 else f"{value:.0f}"
    else:
        text = f"{value:.{max(digits - 2, 0)}e}"
    return text.replace("-", "−", 1) if value < 0 else text


def value(item: Any, limit: int = 6) -> str:
    """Any value of evidence in one line; lists and mappings show their first ``limit`` items."""
    if isinstance(item, dict):
        parts = [f"{label(plain(key))} {value(inner, limit)}" for key, inner in list(item.items())[:limit]]
        return ", ".join(parts) + (" …" if len(item) > limit else "")
    if hasattr(item, "tolist"):
        item = item.tolist()
    if isinstance(item, (list, tuple)):
        return "[" + ", ".join(value(inner, limit) for inner in item[:limit]) + (", …]" if len(item) > limit else "]")
    return number(item)


def signed(decades: float) -> str:
    """Decades with their sign, fewer digits where they are many: ``"−43.4"``, ``"+0.15"``."""
    if not math.isfinite(decades):
        return repr(decades)
    digits = 1 if abs(decades) >= 10 else 2
    rounded = f"{abs(decades):.{digits}f}"
    return rounded if float(rounded) == 0 else ("−" if decades < 0 else "+") + rounded


def share(fraction: float | None) -> str:
    """A fraction as per cent, without a false 0% or 100%."""
    if fraction is None or not math.isfinite(fraction):
        return "–"
    if 0 < fraction < 0.01:
        return "<1%" if fraction < 0.001 else f"{100 * fraction:.1f}%"
    if 0.99 < fraction < 1:
        return f"{math.floor(1000 * fraction) / 10:.1f}%"
    return f"{100 * fraction:.0f}%"


def duration(seconds: float | None) -> str:
    """Seconds as people say them: ``"4.2 s"``, ``"3 min 12 s"``, ``"2 h 05 min"``."""
    if seconds is None or not math.isfinite(seconds):
        return "–"
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds >= 0.95 else f"{1000 * seconds:.0f} ms"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"


def many(names: Sequence[str], limit: int = 3) -> str:
    """``"a, b, c and 17 more"``."""
    shown = ", ".join(plain(name) for name in names[:limit])
    return shown if len(names) <= limit else f"{shown} and {len(names) - limit} more"


def plural(count: int, noun: str) -> str:
    """``"1 step"``, ``"2 steps"``."""
    return f"{count:,} {noun}" + ("" if count == 1 else "s")


def elide(name: str, width: int, ellipsis: str = "…") -> str:
    """``name`` in at most ``width`` characters; the middle goes, since both ends of a module path tell most."""
    if len(name) <= width:
        return name
    keep = max(width - len(ellipsis), 0)
    return name[: keep // 2] + ellipsis + name[len(name) - (keep - keep // 2) :]


def sparkline(values: Sequence[float | None], width: int, *, unicode: bool = True) -> str:
    """A curve in one row of at most ``width`` characters; ``x`` where a value is not finite.

    Each character is the mean of its share of the values; the scale is linear from the smallest to the largest.
    """
    seen = [math.nan if item is None else float(item) for item in values]
    if not seen or width < 1:
        return ""
    edges = [round(i * len(seen) / min(width, len(seen))) for i in range(min(width, len(seen)) + 1)]
    cells = [_mean(seen[a:b]) for a, b in pairwise(edges)]
    finite = [cell for cell in cells if math.isfinite(cell)]
    if not finite:
        return "x" * len(cells)
    low, high = min(finite), max(finite)
    levels = _BLOCKS if unicode else _ASCII_LEVELS
    span = (high - low) or 1.0
    return "".join(
        levels[round((cell - low) / span * (len(levels) - 1))] if math.isfinite(cell) else "x" for cell in cells
    )


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
