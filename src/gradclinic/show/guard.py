"""What the guard did, in words."""

from __future__ import annotations

from typing import Any

from . import words

#: What each act is called, with a word for what follows.
NAMES = {
    "skip": "held the step back",
    "clip": "clipped the gradient",
    "roll back": "went back",
    "buffers": "put buffers back",
    "new level": "took the new level of the loss as it is",
    "no way back": "keeps no state to go back to",
    "given up": "does not go back any more",
    "not read": "could not read a step, and left it alone",
    "off": "switched itself off",
}


def guard_line(guard: dict[str, Any] | None) -> str:
    """One line: how often it did what, and what the learning rates were multiplied by in the end."""
    if not guard:
        return ""
    done = [
        f"{words.plural(guard['skipped'], 'step')} held back" if guard["skipped"] else "",
        f"{words.plural(guard['clipped'], 'gradient')} clipped" if guard["clipped"] else "",
        f"broken buffers put back {words.plural(guard['mended'], 'time')}" if guard["mended"] else "",
        f"went back {words.plural(guard['rolled_back'], 'time')}" if guard["rolled_back"] else "",
        f"learning rate × {words.number(guard['rate_factor'], 3)}" if guard["rate_factor"] != 1 else "",
    ]
    ended = [f"{NAMES[act['act']]} ({words.plain(str(act['why']))})" for act in guard["acts"]
             if act["act"] in ("no way back", "given up", "not read", "off")]  # fmt: skip
    return "; ".join([*filter(None, done), *ended]) or "on; there was nothing to do"


def guard_acts(guard: dict[str, Any] | None) -> list[tuple[str, str, str]]:
    """Rows for a table: the step, what was done and why, and its numbers."""
    return [
        (f"{act['step']:,}", f"{NAMES.get(act['act'], act['act'])}: {words.plain(str(act['why']))}", _numbers(act))
        for act in (guard or {}).get("acts", ())
    ]


def _numbers(act: dict[str, Any]) -> str:
    told = {key: value for key, value in act.items() if key not in ("step", "act", "why", "count")}
    return ", ".join(f"{words.label(key)} {words.value(value, 4)}" for key, value in told.items())
