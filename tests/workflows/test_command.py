import sys
from pathlib import Path

import pytest

from gradclinic.errors import UserError
from gradclinic.workflows.command import Command, interpreter_flags, parse_command


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "train.py").touch()
    (tmp_path / "folder").mkdir()
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "__main__.py").touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("words", "module", "argv"),
    [
        (["train.py"], False, ["train.py"]),
        (["train.py", "--lr", "0.1", "--help"], False, ["train.py", "--lr", "0.1", "--help"]),
        (["package"], False, ["package"]),
        (["-"], False, ["-"]),
        (["a.b", "-x"], True, ["-m", "a.b", "-x"]),
        (["torchrun", "--nproc-per-node", "2", "train.py"], False,
         ["-m", "torch.distributed.run", "--nproc-per-node", "2", "train.py"]),
    ],
)  # fmt: skip
def test_argv_is_what_python_would_get(here: Path, words: list[str], module: bool, argv: list[str]) -> None:
    assert parse_command(words, module=module, flags=["-u"]).argv == [sys.executable, "-u", *argv]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([], "name a script"),
        (["tran.py"], "did you mean train.py?"),
        (["train"], "did you mean train.py?"),
        (["nowhere/train.py"], "no folder nowhere"),
        (["folder"], "folder/train.py"),
        (["python3.11", "train.py"], "gradclinic run train.py"),
    ],
)
def test_bad_scripts_are_refused_with_advice(here: Path, words: list[str], says: str) -> None:
    with pytest.raises(UserError, match=r"^[^\n]*$") as caught:
        parse_command(words)
    assert says in str(caught.value)


def test_a_file_called_torchrun_is_a_script(here: Path) -> None:
    (here / "torchrun").touch()
    assert not parse_command(["torchrun"]).module


@pytest.mark.parametrize(
    ("command", "name", "launcher"),
    [
        (Command("dir/my train.py", False, ()), "my_train", False),
        (Command("package.train", True, ()), "train", False),
        (Command("-", False, ()), "run", False),
        (Command("torch.distributed.run", True, ("--nproc-per-node", "2", "a/fit.py", "--x")), "fit", True),
        (Command("/usr/bin/torchrun", False, ("-m", "pkg")), "torchrun", True),
    ],
)
def test_a_run_is_named_after_what_trains(command: Command, name: str, launcher: bool) -> None:
    assert (command.name, command.launches_ranks) == (name, launcher)


@pytest.mark.parametrize(
    ("orig_argv", "flags"),
    [
        ("python -m gradclinic run -W train.py", ""),
        ("python -W error -X dev -m gradclinic run x.py", "-W error -X dev"),
        ("python -Werror -Xdev -uO -m gradclinic.cli run x.py", "-Werror -Xdev -uO"),
        ("python -uBm gradclinic run x.py", "-uB"),
        ("python --check-hash-based-pycs always -m gradclinic run", "--check-hash-based-pycs always"),
        ("python -sE /usr/bin/gradclinic run x.py", ""),  # the first line of an installed command
        ("python -u -m pytest gradclinic", ""),
        ("python -c code -W error", ""),
    ],
)
def test_only_flags_that_the_user_wrote_are_passed_on(orig_argv: str, flags: str) -> None:
    assert interpreter_flags(orig_argv.split()) == tuple(flags.split())


@pytest.mark.parametrize(
    ("flags", "letter"), [(("-I",), "-I"), (("-uE",), "-E"), (("-S",), "-S"), (("-X", "dev", "-WError"), None)]
)
def test_flags_that_keep_the_hook_out_are_known(flags: tuple[str, ...], letter: str | None) -> None:
    blind = Command("train.py", False, (), flags).blind
    assert (blind is None) == (letter is None)
    assert letter is None or letter in str(blind)
