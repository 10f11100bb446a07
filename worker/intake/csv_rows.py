"""Rows from CSV: a header with the columns' names, then one recipient a record; blank lines are passed over.

Read strictly: a stray quote is an error at its line, for otherwise it would swallow the recipients that follow it.
"""

import csv
from collections.abc import Iterator
from typing import TYPE_CHECKING, cast

from worker.intake.rows import BadRow, Block, refuse

if TYPE_CHECKING:
    from _csv import Reader


def csv_blocks(lines: Iterator[str], name: str) -> tuple[tuple[str, ...], Iterator[Block]]:
    """Read the header and return its columns, and all rows as one block.

    Raises `ConfigError`, here for the header and later for a record that the csv module can not read.
    """
    reader = csv.reader(lines, strict=True)
    header = next((fields for fields in _records(reader, name) if fields), None)
    if header is None:
        refuse(f"{name}: the file is empty, a header line with the columns' names was expected")
    columns = tuple(header)
    for position, column in enumerate(columns, 1):
        if not column.strip():
            refuse(f"{name}, line {reader.line_num}: column {position} has no name")
        if column in columns[: position - 1]:
            refuse(f"{name}, line {reader.line_num}: two columns are named {column!r}")
    return columns, iter([Block(columns=columns, rows=_rows(reader, name, len(columns)))])


def _rows(reader: "Reader", name: str, width: int) -> Iterator[list[str | None] | BadRow]:
    for fields in _records(reader, name):
        if len(fields) == width:
            yield cast("list[str | None]", fields)
        elif fields:
            count = f"{len(fields)} fields" if len(fields) > 1 else "1 field"
            yield BadRow(reason=f"row has {count}, the header has {width}", read=fields)


def _records(reader: "Reader", name: str) -> Iterator[list[str]]:
    start = reader.line_num + 1
    try:
        for fields in reader:
            yield fields
            start = reader.line_num + 1
    except csv.Error as error:
        place = f"line {start}" if reader.line_num <= start else f"lines {start} to {reader.line_num}"
        refuse(f"{name}, {place}: {_complaint(str(error))}", error)


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
