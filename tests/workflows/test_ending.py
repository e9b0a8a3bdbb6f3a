import sys

import pytest

from gradclinic.schema.record import Ending
from gradclinic.workflows.ending import noted_ending, one_line, seen_ending

CRASH = Ending("failed", 1.0, error="ValueError: x", traceback="Traceback ...")
CTRL_C = Ending("interrupted", 1.0, error="KeyboardInterrupt", traceback="Traceback ...")


@pytest.mark.parametrize(
    ("code", "noted", "status", "exit_code", "error"),
    [
        (0, None, "finished", 0, None),
        (0, CRASH, "finished", 0, None),  # the script dealt with it
        (1, CRASH, "failed", 1, "ValueError: x"),
        (3, None, "failed", 3, None),
        (3, Ending("finished", 1.0), "failed", 3, None),  # sys.exit(3)
        (-2, CTRL_C, "interrupted", 130, "KeyboardInterrupt"),
        (-2, None, "interrupted", 130, "killed by SIGINT (signal 2)"),
        (130, CTRL_C, "interrupted", 130, "KeyboardInterrupt"),
        (-9, None, "killed", 137, "killed by SIGKILL (signal 9)"),
        (-40, CRASH, "killed", 168, "killed by signal 40"),
    ],
)
def test_the_exit_code_decides(code: int, noted: Ending | None, status: str, exit_code: int, error: str | None) -> None:
    ending = seen_ending(code, noted)
    assert (ending.status, ending.exit_code, ending.error) == (status, exit_code, error)
    assert ending.traceback == (noted.traceback if noted and ending.error == noted.error else None)


def test_inside_the_child_the_fatal_exception_is_noted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(sys, "last_value", raising=False)
    assert noted_ending().status == "finished"
    try:
        raise ValueError("first line\nsecond line")
    except ValueError as error:
        monkeypatch.setattr(sys, "last_value", error, raising=False)
    ending = noted_ending()
    assert (ending.status, ending.error, ending.exit_code) == ("failed", "ValueError: first line", None)
    assert "test_ending.py" in str(ending.traceback)
    monkeypatch.setattr(sys, "last_value", KeyboardInterrupt())
    assert noted_ending().status == "interrupted"


def test_a_syntax_error_is_told_by_its_message() -> None:
    with pytest.raises(SyntaxError) as caught:
        compile("x = (", "train.py", "exec")
    assert one_line(caught.value) == "SyntaxError: '(' was never closed"
