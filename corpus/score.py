"""Runs the corpus and says how often gradclinic, and its peers' rules on the same records, are right.

    python -m corpus.score                                        everything: corpus/results.json and docs/accuracy.md
    python -m corpus.score --half development --keep FOLDER       what one develops against; the records are kept
    python -m corpus.score --half development --records FOLDER    the same from kept records, in seconds

Which scripts of the scored half were right is shown nowhere unless --show-scored is given: who has seen it can no
longer score with them.
"""

from __future__ import annotations

import argparse
import shlex
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from . import page, results, table
from .evaluate import evaluate_all
from .figures import figures
from .index import Script, load, problems
from .judge import Row
from .runner import report_path, run_script


def main(arguments: Sequence[str] | None = None) -> int:
    """0, or 1 where a script came to no report, or 2 where the index is not sound."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    options = _parser().parse_args(words)
    scripts = load()
    if unsound := problems(scripts):
        sys.stderr.write("\n".join(["the index is not sound:", *unsound]) + "\n")
        return 2
    chosen = choose(scripts, options.half, options.only, options.show_scored)
    if options.records:
        rows = _again(chosen, options.records, options.jobs)
    else:
        with tempfile.TemporaryDirectory() as folder:
            rows = _run(chosen, options.keep or Path(folder), options.jobs, plain=not options.no_plain)
    _show(rows, options.show_scored)
    complete = not options.records and not options.no_plain and len(chosen) == len(scripts)
    if complete or options.results:
        data = results.results(rows, shlex.join(["python", "-m", "corpus.score", *_public(words)]))
        results.write(data, options.results or results.RESULTS)
        if complete and not options.results:
            page.write(data)
    return 1 if any(row.verdict == "failed" for row in rows) else 0


def choose(scripts: Sequence[Script], half: str, only: str, show_scored: bool) -> list[Script]:
    """The scripts asked for.  The totals of a few scored scripts would tell which failed, so a part leaves them out."""
    chosen = [script for script in scripts if half in ("all", script.half) and only in script.file]
    return [script for script in chosen if show_scored or not only or script.half == "development"]


def _run(scripts: Sequence[Script], folder: Path, jobs: int, plain: bool) -> list[Row]:
    """Runs the scripts, then judges them: while scripts are timed nothing else runs."""
    done = {"development": 0, "scored": 0}

    def job(script: Script) -> None:
        run_script(script, folder.absolute(), plain)
        done[script.half or ""] += 1
        counts = ", ".join(f"{count} {half}" for half, count in done.items())
        sys.stderr.write(f"\r{counts} of {len(scripts)} scripts have run")
        sys.stderr.flush()

    with ThreadPoolExecutor(jobs) as pool:
        list(pool.map(job, scripts))
    sys.stderr.write("\n")
    return evaluate_all(scripts, folder, again=False, jobs=jobs)


def _again(scripts: Sequence[Script], folder: Path, jobs: int) -> list[Row]:
    """Judges kept records; scripts that were not kept are left out, and counted."""
    there = [script for script in scripts if report_path(folder, script.file).exists()]
    if len(there) < len(scripts):
        sys.stderr.write(f"{len(scripts) - len(there)} scripts were not kept in {folder}\n")
    return evaluate_all(there, folder, again=True, jobs=jobs)


def _show(rows: Sequence[Row], show_scored: bool) -> None:
    shown = [row for row in rows if show_scored or row.half == "development"]
    if shown:
        sys.stdout.write(table.rows_table(shown) + "\n")
    for half in results.HALVES:
        if part := [row for row in rows if row.half == half]:
            sys.stdout.write("\n" + table.totals(half, figures(part)) + "\n")


def _public(words: Sequence[str]) -> list[str]:
    """The command's words without folders and files, which are this machine's business."""
    kept, skip = [], False
    for word in words:
        if not skip and not word.startswith(("--keep", "--results")):
            kept.append(word)
        skip = word in ("--keep", "--results")
    return kept


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m corpus.score", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--jobs", type=int, default=2, help="scripts at a time (default: 2)")
    parser.add_argument("--half", choices=("development", "scored", "all"), default="all")
    parser.add_argument("--only", default="", metavar="PART", help="only development scripts whose file contains this")
    parser.add_argument("--no-plain", action="store_true", help="do not time the scripts without gradclinic")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="leave records and reports here")
    parser.add_argument("--records", type=Path, metavar="FOLDER", help="run nothing: diagnose what was kept here again")
    parser.add_argument("--results", type=Path, metavar="FILE", help="where results go; a part writes none otherwise")
    parser.add_argument("--show-scored", action="store_true", help="show the rows of the scored half too; think first")
    return parser


if __name__ == "__main__":
    sys.exit(main())
