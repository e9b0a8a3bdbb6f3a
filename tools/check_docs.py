"""Checks what the documentation promises: links, anchors, paths, commands, options, identifiers.

``mkdocs build --strict`` covers links between the pages of docs/.  This covers README.md and its siblings too,
and what no link checker knows: that a path named in the text exists, that a command named in the text exists
and takes the options shown, that every identifier of a finding has its section, and that every place for a
command's output has been filled.

    python tools/check_docs.py [ROOT]
"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import unicodedata
from collections.abc import Iterator
from functools import cache
from pathlib import Path

FENCE = re.compile(r"^ *(```+|~~~+)(.*)$")
HEADING = re.compile(r"^#+\s+(.*)$")
ANCHOR = re.compile(r"<a\s+id=\"([^\"]+)\"")
LINK = re.compile(r"!?\[[^\]]*\]\(\s*<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\s*\)|<img\s[^>]*src=\"([^\"]+)\"")
CODE = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
#: A path is checked when it starts in one of these; anything else may be the reader's own file.
FOLDERS = ("docs/", "src/", "tests/", "examples/", "benchmarks/", "tools/", ".ci/", "corpus/")
PATH = re.compile(rf"^(?:{'|'.join(re.escape(folder) for folder in FOLDERS)})[\w./-]*$")
SHELLS = {"", "sh", "bash", "console", "shell"}


def pages(root: Path) -> list[Path]:
    """All Markdown files that readers see: those in the root folder, under docs/ and under examples/."""
    return sorted([*root.glob("*.md"), *root.glob("docs/**/*.md"), *root.glob("examples/**/*.md")])


def split(text: str) -> tuple[str, list[tuple[str, str]]]:
    """The prose of a page without its fenced blocks, and the blocks as (language, content)."""
    prose: list[str] = []
    blocks: list[tuple[str, str]] = []
    fence, language, block = "", "", list[str]()
    for line in text.splitlines():
        match = FENCE.match(line)
        if fence:
            if match and match[1].startswith(fence) and not match[2].strip():
                blocks.append((language, "\n".join(block)))
                fence, block = "", []
            else:
                block.append(line)
        elif match:
            fence, language = match[1], match[2].strip().split(" ")[0]
        else:
            prose.append(line)
    return "\n".join(prose), blocks


def anchors(text: str) -> set[str]:
    """The anchors of a page: ``<a id="...">``, and the slug of every heading."""
    prose, _ = split(text)
    headings = [match[1] for line in prose.splitlines() if (match := HEADING.match(line))]
    return {*ANCHOR.findall(prose), *map(slug, headings)}


def slug(heading: str) -> str:
    """The anchor that MkDocs makes of a heading."""
    shown = re.sub(r"<[^>]*>|\[([^\]]*)\]\([^)]*\)", r"\1", heading)
    plain = unicodedata.normalize("NFKD", shown).encode("ascii", "ignore").decode()
    return re.sub(r"[-\s]+", "-", re.sub(r"[^\w\s-]", "", plain).strip().lower())


def check_links(root: Path, page: Path) -> Iterator[str]:
    """Links between files of the repository, with their anchors.  Addresses elsewhere are not visited."""
    prose, _ = split(page.read_text("utf-8"))
    for target in (left or right for left, right in LINK.findall(CODE.sub("", prose))):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        file = (page.parent / name).resolve() if name else page
        if not file.exists() or (not file.is_relative_to(root.resolve()) and name):
            yield f"links to {target}, which does not exist"
        elif anchor and file.suffix == ".md" and anchor not in anchors(file.read_text("utf-8")):
            yield f"links to {target}: {file.name} has no such anchor"


def commands(text: str) -> Iterator[str]:
    """What looks like a command line: lines of shell blocks, and code spans of more than one word."""
    prose, blocks = split(text)
    yield from (span for span in CODE.findall(prose) if " " in span)
    for language, block in blocks:
        if language in SHELLS:
            yield from re.sub(r"\\\n\s*", " ", block).splitlines()


def check_paths(root: Path, text: str) -> Iterator[str]:
    """Paths of this repository that the text names, in code spans and on command lines."""
    prose, _ = split(text)
    words = [*CODE.findall(prose), *(word for line in commands(text) for word in line.split())]
    for word in sorted({word.split(":")[0] for word in words}):
        if PATH.match(word) and not (root / word).exists():
            yield f"names {word}, which does not exist"


@cache
def help_of(*verb: str) -> str | None:
    """What ``gradclinic VERB --help`` prints; None where there is no such verb."""
    line = [sys.executable, "-m", "gradclinic", *verb, "--help"]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    return done.stdout if done.returncode == 0 else None


@cache
def make_targets(root: Path) -> frozenset[str]:
    """The targets that the Makefile declares."""
    return frozenset(re.findall(r"^([\w-]+):", (root / "Makefile").read_text("utf-8"), re.MULTILINE))


def check_command(root: Path, line: str) -> Iterator[str]:
    """A command line of ours: its verb, its options, or its make target."""
    try:
        words = shlex.split(line.removeprefix("$ "), comments=True)
    except ValueError:
        return  # an apostrophe: prose, not a command
    if words[:1] == ["make"]:
        yield from (f"names make {word}, which is no target" for word in unknown_targets(root, words[1:]))
    if "|" in words:
        words = words[: words.index("|")]
    if words[:3] == ["python", "-m", "gradclinic"]:
        words = words[2:]
    if words[:1] != ["gradclinic"] or len(words) == 1:
        return
    verb, rest = words[1], words[2:]
    group = verb.startswith("-") or not verb.isalpha() or verb.isupper()
    if group:
        verb, rest = "", words[1:]
    usage = help_of(verb) if verb else help_of()
    if usage is None:
        yield f"names gradclinic {verb}, which is no command"
        return
    for word in rest:
        if verb == "run" and not word.startswith("-") and word not in usage:
            break  # the script: what follows is its own
        option = word.split("=")[0]
        if option.startswith("-") and not re.search(rf"(?<![\w-]){re.escape(option)}(?![\w-])", usage):
            yield f"names gradclinic {verb} {option}, which is no option"


def unknown_targets(root: Path, words: list[str]) -> list[str]:
    """Words after ``make`` that are neither targets nor settings."""
    return [word for word in words if re.fullmatch(r"[a-z-]+", word) and word not in make_targets(root)]


def check_outputs(text: str) -> Iterator[str]:
    """Places for a command's output that tools/fill_outputs.py has not filled."""
    place = r"<!-- (?:output|contents)? ?(?:of|run): (.+?) -->\s*(?:<!-- compared: .+? -->\s*)?<!-- end of \w+ -->"
    for command in re.findall(place, text):
        yield f"lacks the output of {command}: run tools/fill_outputs.py"


def check_identifiers(root: Path) -> Iterator[str]:
    """Every condition and cause has its section in docs/findings.md, and no section has lost its identifier."""
    from gradclinic.schema.finding import CAUSES, CONDITIONS

    page = root / "docs" / "findings.md"
    there = set(ANCHOR.findall(page.read_text("utf-8")))
    known = {*CONDITIONS, *CAUSES}
    yield from (f"has no section for {name}" for name in sorted(known - there))
    yield from (f"describes {name}, which the schema does not know" for name in sorted(there - known))


def problems(root: Path) -> Iterator[str]:
    """All of it, one line each."""
    for page in pages(root):
        text = page.read_text("utf-8")
        found = [*check_links(root, page), *check_paths(root, text), *check_outputs(text)]
        found += [problem for line in commands(text) for problem in check_command(root, line)]
        yield from (f"{page.relative_to(root)}: {problem}" for problem in dict.fromkeys(found))
    yield from (f"docs/findings.md: {problem}" for problem in check_identifiers(root))


def main() -> int:
    """Prints the problems; 1 where there are any."""
    root = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent.parent)
    found = list(problems(root))
    print("\n".join(found) if found else f"documentation: {len(pages(root))} files, no problem")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
