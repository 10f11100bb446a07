"""suppress: the lists of those who may not be messaged, for everybody, for one account, or for one sender."""

import csv
import sys
from dataclasses import dataclass, field
from itertools import islice
from typing import Annotated, Any

import orjson
import phonenumbers
import typer

from config.errors import ConfigError
from scripts.cli.accounts import known_account
from scripts.cli.application import SETTINGS
from scripts.cli.ledger import Ledger, open_ledger
from scripts.cli.options import Data, Json
from scripts.cli.output import emit
from scripts.cli.progress import new_progress
from scripts.cli.words import table, tell
from worker.domain.suppression import Reason, Scope, SuppressionList, reason_words
from worker.intake.numbers import BadPlace, Listed, open_numbers
from worker.intake.phones import BadNumber, Normaliser
from worker.ledger import suppression

TOLD_PROBLEMS = 5
_AT_ONCE = 10_000

app = typer.Typer(help="Keep the lists of those who may not be messaged.", no_args_is_help=True, **SETTINGS)

Account = Annotated[str | None, typer.Option("--account", metavar="NAME", help="The list of this account.")]
Sender = Annotated[str | None, typer.Option("--sender", metavar="TEXT", help="The list of this sender (`from`).")]
ScopeOption = Annotated[Scope, typer.Option("--scope", help="What the list keeps from them.")]
Why = Annotated[Reason, typer.Option("--reason", help="Why they are on it.")]
Country = Annotated[
    str, typer.Option("--default-country", metavar="CC", help="The country of numbers without a country code.")
]
Numbers = Annotated[list[str], typer.Argument(metavar="NUMBER...", help="Phone numbers.")]


@dataclass(slots=True)
class _Taken:
    """What an import has come to so far; `read` counts rows."""

    added: int = 0
    known: int = 0
    invalid: int = 0
    read: int = 0
    problems: list[BadPlace] = field(default_factory=list)

    def put(self, ledger: Ledger, of: SuppressionList, given: Reason | None, chunk: list[Listed | BadPlace]) -> None:
        """Put the numbers of a chunk on the list for the reason `given`, else each for its own; keep first problems."""
        bad = [each for each in chunk if isinstance(each, BadPlace)]
        numbers: dict[Reason, list[int]] = {}
        for each in chunk:
            if isinstance(each, Listed):
                numbers.setdefault(given or each.reason or Reason.HAND, []).append(each.number)
        added = sum(suppression.suppress(ledger.client, of, some, reason) for reason, some in numbers.items())
        self.added += added
        self.known += len(chunk) - len(bad) - added
        self.invalid += len(bad)
        self.read += len(chunk)
        self.problems += bad[: TOLD_PROBLEMS - len(self.problems)]


@app.command()
def add(
    numbers: Numbers,
    *,
    account: Account = None,
    sender: Sender = None,
    scope: ScopeOption = Scope.ALL,
    reason: Why = Reason.HAND,
    default_country: Country = "IN",
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Put numbers on a list; without --account and --sender on that for everybody."""
    of = _named(account, sender, scope)
    canonical = _canonical(numbers, default_country)
    _check_account(of)
    with open_ledger(data) as ledger:
        added = suppression.suppress(ledger.client, of, canonical, reason)
        counted = {"added": added, "known": len(canonical) - added}
        _show(ledger, of, counted, as_json=as_json)


@app.command()
def remove(
    numbers: Numbers,
    *,
    account: Account = None,
    sender: Sender = None,
    scope: ScopeOption = Scope.ALL,
    default_country: Country = "IN",
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Take numbers off a list; they stay on others that have them."""
    of = _named(account, sender, scope)
    canonical = _canonical(numbers, default_country)
    with open_ledger(data) as ledger:
        removed = suppression.unsuppress(ledger.client, of, canonical)
        counted = {"removed": removed, "unknown": len(canonical) - removed}
        _show(ledger, of, counted, as_json=as_json)


@app.command(name="import")
def import_(
    file: Annotated[
        str,
        typer.Argument(
            metavar="FILE",
            help="A .txt with one number a line, a .csv or .jsonl (each also .gz), or an .xlsx; - is stdin.",
        ),
    ],
    *,
    to: Annotated[str, typer.Option("--to", metavar="COLUMN", help="The column with the numbers.")] = "to",
    account: Account = None,
    sender: Sender = None,
    scope: ScopeOption = Scope.ALL,
    reason: Annotated[
        Reason | None,
        typer.Option(
            "--reason", help="Why they are on it: else what the column reason says, as in an export, or hand."
        ),
    ] = None,
    default_country: Country = "IN",
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Put all numbers of a file on a list; again is no harm."""
    of = _named(account, sender, scope)
    _check_country(default_country)
    _check_account(of)
    with (
        open_numbers(file, column=to, default_country=default_country) as found,
        open_ledger(data) as ledger,
        new_progress() as progress,
    ):
        taken = _Taken()
        try:
            while chunk := list(islice(found, _AT_ONCE)):
                taken.put(ledger, of, reason, chunk)
                progress.reading(taken.read)
        except ConfigError as error:
            rest = f"; the numbers of the first {taken.read:,} rows are on the list" if taken.read else ""
            raise ConfigError(f"{error}{rest}") from error
        problems = [f"{problem.place}: {problem.reason}" for problem in taken.problems]
        if problems and taken.invalid == taken.read:
            raise ConfigError(f"{file}: none of its {taken.read:,} rows has a number; {problems[0]}")
        for problem in problems:
            tell(problem)
        counted = {"added": taken.added, "known": taken.known, "invalid": taken.invalid}
        _show(ledger, of, counted, as_json=as_json)


@app.command()
def export(
    *,
    account: Account = None,
    sender: Sender = None,
    scope: ScopeOption = Scope.ALL,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Write the numbers of a list to standard output, as CSV with the columns to and reason; in no order."""
    of = _named(account, sender, scope)
    with open_ledger(data) as ledger:
        found = suppression.numbers_on(ledger.client, of)
        if as_json:
            separator = "[\n"
            for number, reason in found:
                sys.stdout.write(separator + orjson.dumps({"to": f"+{number}", "reason": reason}).decode())
                separator = ",\n"
            sys.stdout.write("[]\n" if separator == "[\n" else "\n]\n")
            return
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(("to", "reason"))
        writer.writerows((f"+{number}", reason) for number, reason in found)


@app.command()
def count(*, data: Data = None, as_json: Json = False) -> None:
    """Show every list that has numbers, and how many."""
    with open_ledger(data) as ledger:
        counts = suppression.list_counts(ledger.client)
    documents = [{**_document(of), "count": numbers} for of, numbers in counts.items()]
    rows = [(of.place, of.scope.value, f"{numbers:,}") for of, numbers in counts.items()]
    lines = table([("list", "scope", "numbers"), *rows]) if rows else ["there are no suppression lists"]
    emit(documents, lines, as_json=as_json)


@app.command()
def check(
    number: Annotated[str, typer.Argument(metavar="NUMBER", help="A phone number.")],
    *,
    default_country: Country = "IN",
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Show on which lists a number is, and why."""
    (canonical,) = _canonical([number], default_country)
    with open_ledger(data) as ledger:
        found = suppression.lists_with(ledger.client, canonical)
    lists = [{**_document(of), "reason": reason.value} for of, reason in found.items()]
    lines = [f"{of.place}, {of.scope}: {reason_words(reason)}" for of, reason in found.items()]
    document = {"to": f"+{canonical}", "suppressed": bool(lists), "lists": lists}
    emit(document, lines or [f"+{canonical} is on no suppression list"], as_json=as_json)


def _named(account: str | None, sender: str | None, scope: Scope) -> SuppressionList:
    if account is not None and sender is not None:
        raise ConfigError("--account and --sender are two lists: give one of them")
    for option, name in (("--account", account), ("--sender", sender)):
        if name is not None and not name.strip():
            raise ConfigError(f"{option} is empty")
    if account is not None:
        return SuppressionList(scope=scope, kind="account", name=account)
    if sender is not None:
        return SuppressionList(scope=scope, kind="sender", name=sender)
    return SuppressionList(scope=scope)


def _check_account(of: SuppressionList) -> None:
    """Refuse a name that no account has: those on its list would be messaged all the same."""
    if of.kind == "account":
        known_account(of.name)


def _check_country(country: str) -> None:
    if country not in phonenumbers.SUPPORTED_REGIONS:
        raise ConfigError(f'--default-country {country}: should be a country of ISO 3166 in two capitals, like "IN"')


def _canonical(numbers: list[str], country: str) -> list[int]:
    _check_country(country)
    canonical: dict[int, None] = {}
    for place, text in enumerate(numbers, 1):
        number = Normaliser(country).canonical(text)
        if isinstance(number, BadNumber):
            raise ConfigError(f"number {place}, {text!r}: {number.reason}")
        canonical[number] = None
    return list(canonical)


def _document(of: SuppressionList) -> dict[str, Any]:
    return {"list": of.kind, "name": of.name or None, "scope": of.scope.value}


def _show(ledger: Ledger, of: SuppressionList, counted: dict[str, int], *, as_json: bool) -> None:
    on_it = suppression.count_of(ledger.client, of)
    words = ", ".join(f"{number:,} {name}" for name, number in counted.items())
    lines = [f"{of.place}, {of.scope}: {words}; {on_it:,} on the list"]
    emit({**_document(of), **counted, "count": on_it}, lines, as_json=as_json)
