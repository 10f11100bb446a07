"""Rows from CSV: a header with the columns' names, then one recipient a record; blank lines are passed over.

Read strictly: a stray quote is an error at its line, for otherwise it would swallow the recipients that follow it. No
more than one record is held, and none is longer than `MAX_RECORD_CHARACTERS`.
"""

import csv
import itertools
import re
from collections.abc import Callable, Iterator
from typing import cast

from worker.intake.rows import MAX_COLUMNS, BadRow, Block, checked_columns, refuse

MAX_RECORD_CHARACTERS = 1 << 20
"""A longer record, over many lines, is none of a recipient but a file of another kind."""

_DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
_QUOTED = re.compile(r'"[^"]*"')


def csv_blocks(lines: Iterator[str], name: str, note: Callable[[str], None]) -> tuple[tuple[str, ...], Iterator[Block]]:
    """Read the header and return its columns, and all rows as one block.

    What stands most often between the header's names separates the columns: a comma, semicolon, tab or bar, in this
    order where two are as many. It is told to `note` unless there are commas only. Raises `ConfigError`, here for the
    header and later for a record that the csv module can not read.
    """
    start = list(_to_first_text(lines))
    delimiter = _delimiter(start[-1] if start else "", name, note)
    records = _Records(itertools.chain(start, lines), name, delimiter)
    header = next((fields for fields in records.read() if fields), None)
    if header is None:
        refuse(f"{name}: the file is empty, a header line with the columns' names was expected")
    columns = checked_columns(header, f"{name}, line {records.line}")
    return columns, iter([Block(columns=columns, rows=records.rows(len(columns)))])


class _Records:
    """The records of one CSV, read once."""

    def __init__(self, lines: Iterator[str], name: str, delimiter: str) -> None:
        self._name = name
        self._held = 0
        self._reader = csv.reader(self._metered(lines), delimiter=delimiter, strict=True)

    @property
    def line(self) -> int:
        """The last line that was read."""
        return self._reader.line_num

    def rows(self, width: int) -> Iterator[list[str | None] | BadRow]:
        for fields in self.read():
            if len(fields) == width:
                yield cast("list[str | None]", fields)
            elif len(fields) > MAX_COLUMNS:
                refuse(f"{self._name}, line {self.line}: {len(fields):,} fields, at most {MAX_COLUMNS:,} are read")
            elif fields:
                count = f"{len(fields)} fields" if len(fields) > 1 else "1 field"
                yield BadRow(reason=f"row has {count}, the header has {width}", read=fields)

    def read(self) -> Iterator[list[str]]:
        reader = self._reader
        start = reader.line_num + 1
        try:
            for fields in reader:
                yield fields
                self._held = 0
                start = reader.line_num + 1
        except csv.Error as error:
            place = f"line {start}" if reader.line_num <= start else f"lines {start} to {reader.line_num}"
            refuse(f"{self._name}, {place}: {_complaint(str(error))}", error)

    def _metered(self, lines: Iterator[str]) -> Iterator[str]:
        for line in lines:
            self._held += len(line)
            if self._held > MAX_RECORD_CHARACTERS:
                refuse(
                    f"{self._name}, line {self.line + 1}: a record over many lines is longer than "
                    f"{MAX_RECORD_CHARACTERS:,} characters"
                )
            yield line


def _to_first_text(lines: Iterator[str]) -> Iterator[str]:
    for line in lines:
        yield line
        if line.strip():
            return


def _delimiter(header: str, name: str, note: Callable[[str], None]) -> str:
    bare = _QUOTED.sub("", header)
    counts = {delimiter: bare.count(delimiter) for delimiter in _DELIMITERS if delimiter in bare}
    delimiter = max(counts, key=counts.__getitem__, default=",")
    others = " and ".join(words for other, words in _DELIMITERS.items() if other in counts and other != delimiter)
    if others or delimiter != ",":
        doubt = f"; this is a guess, for the header has {others} too" if others else ""
        note(f"{name}: columns are separated by {_DELIMITERS[delimiter]}{doubt}")
    return delimiter


def _complaint(message: str) -> str:
    """Say in our words what the csv module met."""
    match message:
        case "unexpected end of data":
            return "a quoted field is never closed"
        case text if text.startswith("new-line character"):
            return "a carriage return outside quotes; save the file with ordinary line ends"
        case text if text.endswith("""expected after '"'"""):
            return 'something follows the closing quote of a field; a quote inside a field is written ""'
        case text if text.startswith("field larger"):
            return f"a field is longer than {csv.field_size_limit():,} characters, or its quote is never closed"
        case text:
            return text
