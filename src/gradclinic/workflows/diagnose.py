"""``gradclinic diagnose``: the same answer again, from the record alone."""

from __future__ import annotations

from pathlib import Path

from .answer import Answer, read_answer
from .place import find_record

#: Exit status of a verdict.  Undecided is not a failure: nothing wrong was found.
STATUS = {"healthy": 0, "undecided": 0, "sick": 1}


def diagnose_run(run: str | None = None, *, html: Path | None = None, json: Path | None = None) -> Answer:
    """Diagnoses the run that ``run`` names (default: the newest) and writes what is asked for.

    Raises:
        UserError: no such run, not a record, or an output cannot be written.
    """
    answer = read_answer(find_record(run))
    if html:
        answer.save_html(html)
    if json:
        answer.save_json(json)
    return answer
