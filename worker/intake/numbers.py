"""Numbers alone, from a file of them: what a suppression list is filled from. Read as a stream, each judged once."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from config.errors import ConfigError
from worker.domain.suppression import Reason
from worker.intake.lines import lines, open_binary
from worker.intake.phones import BadNumber, Normaliser
from worker.intake.readers import open_rows
from worker.intake.rows import BadRow, RowSource
from worker.intake.suggestions import did_you_mean

_TEXT = (".txt", ".txt.gz")
_REASONS = {reason.value: reason for reason in Reason}


@dataclass(frozen=True, slots=True, kw_only=True)
class BadPlace:
    """A line that has no number: `place` is "line 3" of a text file or "row 3" of a table (1 is the first data row)."""

    place: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A number, and why it is on a list; `None`: that is not said beside it."""

    number: int = field(repr=False)
    reason: Reason | None = None


@contextmanager
def open_numbers(source: str, *, column: str, default_country: str) -> Iterator[Iterator[Listed | BadPlace]]:
    """Open a text file with one number a line (.txt), or a table with a column of them; each as E.164 digits.

    A table's column `reason` is heeded where it says one of those for which a number is on a list. Blank lines are
    passed over. Raises `ConfigError`: here where the input can not be opened or lacks the column, and
    when reading on, whatever the source raises.
    """
    canonical = Normaliser(default_country).canonical
    with ExitStack() as held:
        if source.lower().endswith(_TEXT):
            text = lines(open_binary(Path(source), held), source, _unheard)
            yield (_judged("line", n, canonical(line.strip())) for n, line in enumerate(text, 1) if line.strip())
            return
        rows = held.enter_context(open_rows(source))
        if rows.columns is not None and column not in rows.columns:
            raise ConfigError(f'{rows.name}: there is no column "{column}"{did_you_mean(column, rows.columns)}')
        found = enumerate(_fields(rows, column), 1)
        yield (
            _judged("row", n, canonical(text) if isinstance(text, str) else text, reason) for n, (text, reason) in found
        )


def _unheard(_note: str) -> None:
    """Digits read alike in every encoding that is found."""


def _fields(rows: RowSource, column: str) -> Iterator[tuple[str | BadNumber, Reason | None]]:
    none = BadNumber(reason=f"no value in column {column!r}")
    for block in rows.blocks:
        place, why = (block.columns.index(name) if name in block.columns else None for name in (column, "reason"))
        for row in block.rows:
            if isinstance(row, BadRow):
                yield BadNumber(reason=row.reason), None
            else:
                value = None if place is None else row[place]
                yield none if value is None else value, None if why is None else _REASONS.get(row[why] or "")


def _judged(unit: str, n: int, found: int | BadNumber, reason: Reason | None = None) -> Listed | BadPlace:
    if isinstance(found, BadNumber):
        return BadPlace(place=f"{unit} {n}", reason=found.reason)
    return Listed(number=found, reason=reason)
