"""The part of docs/accuracy.md on cures, from the results."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from corpus.page import PAGE
from corpus.rates import Rate

BEGIN, END = "<!-- from corpus/treat/results.json -->", "<!-- end of cures -->"


def write(data: dict[str, Any]) -> None:
    """Fills the page."""
    PAGE.write_text(filled(PAGE.read_text("utf-8"), data), "utf-8")


def filled(text: str, data: dict[str, Any]) -> str:
    """A page with its part anew.

    Raises:
        ValueError: the page lacks the two comments.
    """
    if BEGIN not in text or END not in text:
        raise ValueError(f"the page lacks {BEGIN} or {END}")
    middle = "\n".join([BEGIN, *_lines(data), END])
    return re.sub(f"{re.escape(BEGIN)}.*{re.escape(END)}", lambda _: middle, text, flags=re.DOTALL)


def _lines(data: dict[str, Any]) -> Iterator[str]:
    machine, sick, healthy = data["machine"], data["figures"]["sick"], data["figures"]["healthy"]
    at = f" at commit {data['commit']}" if data["commit"] else ""
    yield f"`{data['command']}`, {data['date']}{at}; {machine['processor']}, {machine['cores']} cores,"
    yield f"torch {machine['torch']}.  {sick['tasks']} sick tasks and {healthy['tasks']} healthy ones."
    if data["missing"]:
        yield f"{data['missing']} tasks of the set are not evaluated yet."
    yield from ("", "| sick tasks | gradclinic | random search at the same cost |", "|---|---|---|")
    yield f"| cured: within 5 points of the best reference | {_rate(sick['cured'])} | {_rate(sick['chance'])} |"
    yield f"| the same, counted by seed | {_rate(sick['cured_seeds'])} | |"
    yield f"| not cured, although the recipe, unproven, would have | {sick['cured_unproven']} | |"
    yield f"| claims of a cure | {_rate(sick['claims'])} | |"
    yield f"| of which beat the untreated run on each of three fresh seeds | {_rate(sick['claims_hold'])} | |"
    gains = f"{_number(sick['gain'])} points | {_number(sick['gain_by_chance'])} points"
    yield f"| mean gain, of {_number(sick['short'])} points that the references gain | {gains} |"
    cost = f"{_number(sick['gradients'])} (at most {_number(sick['gradients_most'])})"
    yield f"| median cost in gradients, of one full training | {cost} | the same |"
    yield f"| median cost in seconds, of one full training | {_number(sick['seconds'])} | |"
    yield f"| cured by the smallest change that is known to cure | {_rate(sick['smallest'])} | |"
    yield f"| mean rank of the change among those that cure, by size | {_number(sick['rank'])} | |"
    yield ""
    yield f"Of {healthy['tasks']} healthy tasks {healthy['worse']} came out more than 2 points worse,"
    yield f"{healthy['worse_unproven']} more would with a recipe that was not claimed to cure; for {healthy['changed']}"
    yield f"a cure was claimed, and {healthy['called_sick']} were called sick."
    yield from ("", "| family | tasks | cured | by random search | mean gain | median cost |", "|---" * 6 + "|")
    for name, own in data["figures"]["families"].items():
        shown = [own["tasks"], own["cured"], own["by_chance"], _number(own["gain"]), _number(own["gradients"])]
        yield f"| {name} | {' | '.join(str(each) for each in shown)} |"
    yield from ("", "Tasks that were not cured, and healthy ones made worse:", "")
    yield from ("| task | untreated | treated | reference | recipe |", "|---|---|---|---|---|")
    for each in data["rows"]:
        if not each["cured"] if each["sick"] else each["worse"]:
            shown = [_number(each[key]) for key in ("untreated", "treated", "reference")]
            yield f"| {each['name']} | {' | '.join(shown)} | {each['recipe'] if each['claimed'] else 'no claim'} |"


def _rate(pair: Sequence[int]) -> str:
    return str(Rate(*pair))


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3g}"
