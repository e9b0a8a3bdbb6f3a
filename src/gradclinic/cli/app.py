"""The command that gathers the verbs, and what it says when something is wrong: one line, exit status 2."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from gradclinic.errors import UserError
from gradclinic.workflows.child import end_like
from gradclinic.workflows.describe import version
from gradclinic.workflows.failure import describe_failure, say

#: The verbs in the order of the help; the verb ``x`` is ``gradclinic.cli.x.command``.
VERBS = ("run", "checkup", "diagnose", "treat", "tune", "compare", "report", "lab", "demo")

COULD_NOT_RUN = 2


class _Verbs(click.Group):
    """Imports a verb only when it is used: `gradclinic run` must start the script at once."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in VERBS:
            return None
        command: click.Command = importlib.import_module(f"gradclinic.cli.{name}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if name in VERBS or name.startswith("-"):
            return super().resolve_command(ctx, args)
        if Path(name).suffix == ".py" or Path(name).is_file():
            raise UserError(f"to run a script, write: gradclinic run {' '.join(args)}")
        import difflib

        close = difflib.get_close_matches(name, VERBS, n=1)
        known = f"did you mean {close[0]!r}?" if close else f"the commands are {', '.join(VERBS)}"
        raise UserError(f"no such command: {name!r}; {known}")


def _print_version(ctx: click.Context, parameter: click.Parameter, asked: bool) -> None:
    if asked:
        click.echo(f"gradclinic {version()}")
        ctx.exit()


@click.command(cls=_Verbs, context_settings={"help_option_names": ["-h", "--help"]}, no_args_is_help=False)
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_print_version, help="Print it.")
def gradclinic() -> None:
    """Finds out why a deep network does not train.

    \b
      gradclinic run train.py --lr 0.1     run your script as it is; read the answer at its end
      gradclinic run -m package.train      the same for a module
      gradclinic checkup model.py:task     before training: will it train, and at which learning rates
      gradclinic treat model.py:task       the smallest change that cures it, proven
      gradclinic tune model.py:task        the learning rate, chosen by trials
      gradclinic compare model.py:task     optimizers side by side, each at its own rate
      gradclinic diagnose                  the answer again, from the record alone
      gradclinic report --open             the newest run as a page
      gradclinic demo                      see it find a sick network, and pass a healthy one
    """


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line (default: this process's) and returns the exit status."""
    words = list(sys.argv[1:] if arguments is None else arguments) or ["--help"]
    try:
        status = gradclinic.main(words, prog_name="gradclinic", standalone_mode=False)
        return status if isinstance(status, int) else 0
    except click.UsageError as error:
        return _complain(_usage(error))
    except (click.ClickException, UserError) as error:
        return _complain(error.format_message() if isinstance(error, click.ClickException) else str(error))
    except (KeyboardInterrupt, click.Abort):
        return end_like(-2)
    except BrokenPipeError:  # `gradclinic diagnose | head`: nobody reads on, as for any command in a pipe
        sys.stdout = None  # Python would complain when it flushes
        return end_like(-13)
    except Exception as error:
        return _complain(describe_failure(error))


def _complain(message: str) -> int:
    say(message)
    return COULD_NOT_RUN


def _usage(error: click.UsageError) -> str:
    """click's complaint as one line that says what to do."""
    where = error.ctx.command_path if error.ctx else "gradclinic"
    if isinstance(error, click.NoSuchOption):
        close = f"did you mean {error.possibilities[0]}?" if error.possibilities else f"see {where} --help"
        return f"no such option: {error.option_name}; {close}"
    message = error.format_message().rstrip(".")
    return f"{message[:1].lower()}{message[1:]}; see {where} --help"
