"""Numbers alone, from a file of them: what a suppression list is filled from. Read as a stream, each judged once."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from config.errors import ConfigError
from worker.intake.lines import lines, open_binary
from worker.intake.phones import BadNumber, Normaliser
from worker.intake.readers import open_rows
from worker.intake.rows import BadRow, RowSource
from worker.intake.suggestions import did_you_mean

_TEXT = (".txt", ".txt.gz")


@dataclass(frozen=True, slots=True, kw_only=True)
class BadPlace:
    """A line that has no number: `place` is "line 3" of a text file or "row 3" of a table (1 is the first data row)."""

    place: str
    reason: str


@contextmanager
def open_numbers(source: str, *, column: str, default_country: str) -> Iterator[Iterator[int | BadPlace]]:
    """Open a text file with one number a line (.txt), or a table with a column of them; each as E.164 digits.

    Blank lines are passed over. Raises `ConfigError`: here where the input can not be opened or lacks the column, and
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
        fields = enumerate(_fields(rows, column), 1)
        yield (_judged("row", n, canonical(field) if isinstance(field, str) else field) for n, field in fields)


def _unheard(_note: str) -> None:
    """Digits read alike in every encoding that is found."""


def _fields(rows: RowSource, column: str) -> Iterator[str | BadNumber]:
    none = BadNumber(reason=f"no value in column {column!r}")
    for block in rows.blocks:
        place = block.columns.index(column) if column in block.columns else None
        for row in block.rows:
            if isinstance(row, BadRow):
                yield BadNumber(reason=row.reason)
            else:
                value = None if place is None else row[place]
                yield none if value is None else value


def _judged(unit: str, number: int, found: int | BadNumber) -> int | BadPlace:
    return BadPlace(place=f"{unit} {number}", reason=found.reason) if isinstance(found, BadNumber) else found
