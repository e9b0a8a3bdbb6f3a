"""What to run: a script or a module, checked before anything is started."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gradclinic.errors import UserError

#: Commands that only start the ranks of a distributed job, and the module that each of them runs.
LAUNCHERS = {
    "torchrun": "torch.distributed.run",
    "accelerate": "accelerate.commands.accelerate_cli",
}
LAUNCHER_MODULES = {*LAUNCHERS.values(), "torch.distributed.launch", "accelerate.commands.launch"}


@dataclass(frozen=True, slots=True)
class Command:
    """What the child process runs."""

    target: str  #: path of a script, or the dotted name of a module
    module: bool
    arguments: tuple[str, ...]
    flags: tuple[str, ...] = ()  #: of the interpreter: ("-W", "error")

    @property
    def argv(self) -> list[str]:
        """The whole command line of the child."""
        target = ["-m", self.target] if self.module else [self.target]
        return [sys.executable, *self.flags, *target, *self.arguments]

    @property
    def launches_ranks(self) -> bool:
        """Whether this process trains nothing itself and starts processes that do."""
        return self.target in LAUNCHER_MODULES if self.module else Path(self.target).name in LAUNCHERS

    @property
    def name(self) -> str:
        """A name for the run, fit for a file."""
        plain = self.target.rpartition(".")[2] if self.module else Path(self.target).stem
        if self.launches_ranks:
            scripts = [Path(word).stem for word in self.arguments if word.endswith(".py")]
            plain = scripts[0] if scripts else plain
        return re.sub(r"[^\w.-]", "_", plain).strip(".-") or "run"

    @property
    def blind(self) -> str | None:
        """Why Python will not load our hook, in words; None where it will."""
        letters = {flag for flag in self.flags if flag.startswith("-")}
        for letter in "IES":
            if any(letter in flag and not flag.startswith(("-W", "-X", "--")) for flag in letters):
                return f"Python was started with -{letter}, which keeps gradclinic out"
        return None


def parse_command(words: Sequence[str], *, module: bool = False, flags: Sequence[str] = ()) -> Command:
    """The command to run from what the user typed after the options.

    Raises:
        UserError: nothing to run, no such file, a folder without ``__main__.py``, or not readable.
    """
    if not words:
        wanted = "module: gradclinic run -m package.train" if module else "script: gradclinic run train.py"
        raise UserError(f"nothing to run; name a {wanted}")
    target, arguments = words[0], tuple(words[1:])
    if not module and not Path(target).exists():
        if target in LAUNCHERS:
            return Command(LAUNCHERS[target], True, arguments, tuple(flags))
        if re.fullmatch(r"python[\d.]*", Path(target).name):
            rest = " ".join(arguments) or "train.py"
            raise UserError(f"leave out {target!r}: gradclinic run {rest}")
    if not module and target != "-":
        _check_script(Path(target))
    return Command(target, module, arguments, tuple(flags))


def _check_script(script: Path) -> None:
    if not script.exists():
        raise UserError(f"no such file: {script}{_suggestion(script)}")
    if script.is_dir() and not (script / "__main__.py").exists():
        raise UserError(f"{script} is a folder; name the script in it, as in {script / 'train.py'}")
    if not os.access(script, os.R_OK):
        raise UserError(f"cannot read {script}; check its permissions")


def _suggestion(missing: Path) -> str:
    import difflib

    try:
        scripts = [path.name for path in missing.parent.iterdir() if path.suffix == ".py"]
    except OSError:
        return f"; there is no folder {missing.parent}"
    close = difflib.get_close_matches(missing.name, scripts, n=1) or difflib.get_close_matches(
        f"{missing.name}.py", scripts, n=1
    )
    return f"; did you mean {missing.parent / close[0]}?" if close else "; check the name and the folder"


def interpreter_flags(orig_argv: Sequence[str]) -> tuple[str, ...]:
    """The flags of the Python that runs gradclinic, for the script's Python.

    Only where the user wrote them, as in ``python -W error -m gradclinic run train.py``.  The flags of an
    installed ``gradclinic`` command come from its first line and are none of the script's business.
    """
    flags: list[str] = []
    words = iter(orig_argv[1:])
    for word in words:
        if not word.startswith("-") or word == "-":
            return ()
        if word.startswith("--"):
            flags += [word] if "=" in word or not word.endswith("-pycs") else [word, next(words, "")]
            continue
        letters = re.match(r"-([^cmWX]*)([cmWX]?)(.*)", word, re.DOTALL)
        assert letters is not None  # the pattern matches every word that begins with a dash
        plain, ending, value = letters.groups()
        if ending == "m":
            module = value or next(words, "")
            return (*flags, *([f"-{plain}"] if plain else [])) if module.split(".")[0] == "gradclinic" else ()
        if ending == "c":
            return ()
        flags.append(word)
        if ending and not value:
            flags.append(next(words, ""))
    return ()
