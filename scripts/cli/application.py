"""The commands by name, and the one place where an error becomes a sentence and an exit status.

Exit status: 0 done, 1 the command could not do it, 2 the input is wrong, 130 interrupted. A command's module is
imported when the command is called, so that `--help` and `status` do not wait for Celery.
"""

import json
import os
import sys
from collections.abc import Sequence
from importlib import import_module, metadata
from pathlib import Path
from typing import Annotated, Any, cast

import typer
from typer.core import TyperCommand, TyperGroup

from config.errors import ConfigError
from scripts.cli.failed import CommandFailed

COMMANDS = {
    "run": ("scripts.cli.run:run", "Send a campaign in one command, with a worker of its own, and wait for its end."),
    "demo": ("scripts.cli.demo:demo", "Send a made-up campaign to a simulator, with no account and no file."),
    "enqueue": ("scripts.cli.enqueue:enqueue", "Queue a campaign for the workers, or look what would be sent."),
    "status": ("scripts.cli.standing:status", "Show where a campaign stands, or all of them."),
    "watch": ("scripts.cli.watch:watch", "Follow a campaign until it ends."),
    "list": ("scripts.cli.standing:list_campaigns", "Show all campaigns, the newest first."),
    "pause": ("scripts.cli.control:pause", "Let nothing more of a campaign go out until it is resumed."),
    "resume": ("scripts.cli.resume:resume", "Let a paused campaign go on."),
    "cancel": ("scripts.cli.control:cancel", "End a campaign for good; what was not sent never is."),
    "report": ("scripts.cli.report:report", "Write one line for each row of the input: what became of it."),
    "resolve": ("scripts.cli.resolve:resolve", "Decide what became of messages that stayed unconfirmed."),
    "audit": ("scripts.cli.audit:audit", "Recount a campaign from the record of its recipients."),
    "accounts": ("scripts.cli.accounts:accounts", "Show the accounts: rate, on the wire, held or open and why."),
    "account": ("scripts.cli.account:app", "Hold one account, or open it again."),
    "refresh": ("scripts.cli.refresh:refresh", "Ask the gateway about messages that await a report."),
    "details": ("scripts.cli.details:details", "Ask the gateway what became of one message."),
    "schedule": ("scripts.cli.schedule:app", "Let campaigns recur: add, list, pause, resume, remove, run."),
    "suppress": ("scripts.cli.suppress:app", "Keep the lists of those who may not be messaged."),
    "worker": ("scripts.cli.worker:worker", "Work in the foreground: send what is queued."),
    "callbacks": ("scripts.cli.callbacks:callbacks", "Take in what gateways report of messages, in the foreground."),
    "simulator": ("scripts.simulator.command:simulator", "Run a stand-in for the gateway that sends nothing."),
}
"""Name → (module and attribute: a function, or a Typer with more commands; what the list of commands says)."""

# Rich help would cost a third of the time that `--help` takes, and wraps what a script wants to read.
SETTINGS: dict[str, Any] = {"add_completion": False, "rich_markup_mode": None, "pretty_exceptions_enable": False}

_ERRORS = (
    ("worker.ledger.errors", "LedgerError"),
    ("worker.producer", "ProductionLost"),
    ("worker.embedded", "EmbeddedError"),
)
"""Errors that mean: the command could not do it."""


class _Commands(TyperGroup):
    """The table above as Typer's group: a command is made when it is asked for."""

    def __init__(self, **settings: Any) -> None:  # noqa: ANN401 - Typer's own, passed on
        super().__init__(**settings)
        self.commands: Any = dict.fromkeys(COMMANDS)  # for "did you mean"

    def list_commands(self, ctx: object) -> list[str]:  # noqa: ARG002 - Typer's signature
        return list(COMMANDS)

    def get_command(self, ctx: object, cmd_name: str) -> TyperCommand | TyperGroup | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name][0].partition(":")
        found = getattr(import_module(module), attribute)
        if not isinstance(found, typer.Typer):
            alone = typer.Typer(**SETTINGS)
            alone.command(cmd_name)(found)
            found = alone
        command = cast(TyperCommand | TyperGroup, typer.main.get_command(found))
        command.name = cmd_name
        return command

    def format_commands(self, ctx: object, formatter: Any) -> None:  # noqa: ANN401, ARG002
        with formatter.section("Commands"):
            formatter.write_dl([(name, words) for name, (_, words) in COMMANDS.items()])


app = typer.Typer(cls=_Commands, no_args_is_help=True, **SETTINGS)


def _version(value: bool) -> None:
    if value:
        print(f"bulksend {metadata.version('bulksend')}")
        raise typer.Exit


@app.callback()
def bulksend(
    *,
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """Bulk SMS and WhatsApp: each person once, nobody twice, nobody forgotten.

    Try it without an account: bulksend demo
    """


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command (default: what the shell gave) and return its exit status."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    _open_closed_streams()
    try:
        code = typer.main.get_command(app).main(given, prog_name="bulksend", standalone_mode=False)
        sys.stdout.flush()
    except typer.TyperException as error:  # wrong options and arguments
        return _say(_usage(error), error.exit_code, given)
    except BrokenPipeError:  # whoever read it has read enough
        _let_go_of_stdout()
        return 1
    except Exception as error:
        code = _expected(error)
        if code is None:
            raise
        return _say(_sentence(error), code, given)
    return code if isinstance(code, int) else 0


def _open_closed_streams() -> None:
    """Read nothing from, and lose what is written to, a stream that whoever called has closed (`>&-`): it is None."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115 - for all commands


def _let_go_of_stdout() -> None:
    """Drop what could not be written, so that the interpreter does not try, and complain, once more at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _usage(error: typer.TyperException) -> str:
    message = error.format_message()
    context = getattr(error, "ctx", None)
    if context is None or "\n" in message:  # a whole page of help
        return message
    return f"{message.rstrip('.')}; see '{context.command_path} --help'"


def _sentence(error: Exception) -> str:
    if isinstance(error, OSError):
        return f"{error.filename or 'standard output'}: {error.strerror}"
    return str(error)


def _expected(error: Exception) -> int | None:
    if isinstance(error, ConfigError):
        return 2
    if isinstance(error, OSError):  # a full disk, a file that may not be written
        if error.filename is None:
            _let_go_of_stdout()
        return 1
    # An error of a module that was never imported can not have been raised.
    modules = ((sys.modules[module], name) for module, name in _ERRORS if module in sys.modules)
    expected = (CommandFailed, *(getattr(module, name) for module, name in modules))
    return 1 if isinstance(error, expected) else None


def _say(sentence: str, code: int, given: Sequence[str]) -> int:
    sys.stderr.write(f"{sentence}\n")
    ours = given[: given.index("--")] if "--" in given else given
    if "--json" in ours:
        print(json.dumps({"error": sentence}, ensure_ascii=False))
    return code
