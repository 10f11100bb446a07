"""What every source of recipients gives: blocks of consecutive rows that share their columns.

A row that can not be read is a `BadRow` and costs only itself; what puts the whole input in doubt (its encoding, its
header, its quoting) is a `ConfigError` that names file and line.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import NoReturn, Self

from config.errors import ConfigError

MAX_COLUMNS = 16_384
"""As many as a spreadsheet has; more are a file of another kind, and would fill memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BadRow:
    """A row that can not be read; `read` is all that stood there: fields in the file's order, or the line's text."""

    reason: str
    read: list[str] | str = field(repr=False)

    def fitted(self, width: int) -> list[str | None]:
        """Return the fields as a row of `width`: missing ones are `None`, those beyond are left out."""
        fields: list[str | None] = list(self.read) if isinstance(self.read, list) else []
        return [*fields[:width], *[None] * (width - len(fields))]


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Consecutive rows with the same columns, to be read once and before the next block.

    A value is `None` where the row has none.
    """

    columns: tuple[str, ...]
    rows: Iterable[list[str | None] | BadRow]


@dataclass(frozen=True, slots=True, kw_only=True)
class RowSource:
    """The rows of one input, to be read once: `with open_rows(path) as source: …`.

    `name` stands for the input in messages. `columns` is the header of a CSV, and `None` where rows have their own.
    `notes` are sentences on how the input was understood, for people to check; more may come as rows are read. Closing
    it closes the file, but never standard input.
    """

    name: str
    columns: tuple[str, ...] | None
    blocks: Iterator[Block] = field(repr=False)
    notes: list[str] = field(default_factory=list)
    close: Callable[[], None] = field(repr=False, default=lambda: None)

    def __enter__(self) -> Self:
        """Return the source itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the source."""
        self.close()


def checked_columns(names: Sequence[str], place: str) -> tuple[str, ...]:
    """Return a header's columns; raises `ConfigError` for too many, for one without a name and for two with the same.

    `place` stands for the header in messages.
    """
    if len(names) > MAX_COLUMNS:
        refuse(f"{place}: {len(names):,} columns, at most {MAX_COLUMNS:,} are read")
    seen = set[str]()
    for position, column in enumerate(names, 1):
        if not column.strip():
            refuse(f"{place}: column {position} has no name")
        if column in seen:
            refuse(f"{place}: two columns are named {column!r}")
        seen.add(column)
    return tuple(names)


def refuse(message: str, cause: BaseException | None = None) -> NoReturn:
    """Raise the `ConfigError` that ends the reading of an input."""
    raise ConfigError(message) from cause
