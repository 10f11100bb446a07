"""Rows from objects: JSON Lines and Python mappings, whose columns may differ from row to row."""

import itertools
import json
from collections.abc import Iterable, Iterator, Mapping
from math import isfinite
from typing import Any, NoReturn, Self

from worker.intake.rows import MAX_COLUMNS, BadRow, Block, refuse

_Read = tuple[tuple[str, ...], list[str | None]] | BadRow


class _FloatAsWritten(float):
    """A number of JSON that remembers its text: 9.19877E+11 must not become the twelve digits that it never had."""

    __slots__ = ("_text",)
    _text: str

    def __new__(cls, text: str) -> Self:
        number = super().__new__(cls, text)
        number._text = text
        return number

    def __str__(self) -> str:
        return self._text


class _BadRowError(ValueError):
    """What stands there can not be taken for a recipient; the message is the reason."""


def jsonl_blocks(lines: Iterator[str], name: str) -> Iterator[Block]:
    """Read one object a line. A bad line is a bad row; a bad *first* line says that the file is of another kind.

    Raises `ConfigError` for that, and for an empty file.
    """
    for number, line in enumerate(lines, 1):
        if line.isspace():
            continue
        first = _read_line(line)
        if isinstance(first, BadRow):
            refuse(f"{name}, line {number}: {first.reason}; JSON Lines with one object a line was expected")
        return _blocks(itertools.chain([first], (_read_line(rest) for rest in lines if not rest.isspace())))
    return refuse(f"{name}: the file is empty, one JSON object a line was expected")


def mapping_blocks(recipients: Iterable[Mapping[str, object]], name: str) -> Iterator[Block]:
    """Read one mapping of column to value a row; raises `ConfigError` at one that is none."""
    return _blocks(_read_mapping(row, f"{name}, row {number}") for number, row in enumerate(recipients, 1))


def _blocks(rows: Iterable[_Read]) -> Iterator[Block]:
    """Put consecutive rows with the same columns into one block; a bad row goes with the row before it."""
    columns: tuple[str, ...] = ()

    def columns_of(row: _Read) -> tuple[str, ...]:
        nonlocal columns
        if not isinstance(row, BadRow):
            columns = row[0]
        return columns

    for key, group in itertools.groupby(rows, columns_of):
        yield Block(columns=key, rows=(row if isinstance(row, BadRow) else row[1] for row in group))


def _refuse_constant(name: str) -> NoReturn:
    raise _BadRowError(f"{name} is not JSON")


def _object_of(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise _BadRowError("a key stands twice in the object")
    return found


_decode_json = json.JSONDecoder(
    parse_constant=_refuse_constant, parse_float=_FloatAsWritten, object_pairs_hook=_object_of
).decode


def _read_line(line: str) -> _Read:
    text = line.strip()
    try:
        value = _decode_json(text)
    except _BadRowError as error:
        return BadRow(reason=str(error), read=text)
    except (ValueError, RecursionError):
        return BadRow(reason="the line is not JSON", read=text)
    if not isinstance(value, dict):
        return BadRow(reason="the line is not a JSON object", read=text)
    return _read_object(value)


def _read_mapping(row: object, place: str) -> _Read:
    if not isinstance(row, Mapping):
        refuse(f"{place}: a mapping of column to value was expected, not {type(row).__name__}")
    odd = next((key for key in row if not isinstance(key, str)), None)
    if odd is not None:
        refuse(f"{place}: the name of a column should be text, not {type(odd).__name__}")
    return _read_object(row)


def _read_object(row: Mapping[str, Any]) -> _Read:
    try:
        return _texts(row)
    except _BadRowError as error:
        read = [(column, value if isinstance(value, str) else type(value).__name__) for column, value in row.items()]
        return BadRow(reason=str(error), read=ascii(read))


def _texts(row: Mapping[str, Any]) -> tuple[tuple[str, ...], list[str | None]]:
    columns = tuple(row)
    if len(columns) > MAX_COLUMNS:
        raise _BadRowError(f"row has {len(columns):,} columns, at most {MAX_COLUMNS:,} are read")
    values = [value if value.__class__ is str else _as_text(value) for value in row.values()]
    text = "".join([*columns, *filter(None, values)])
    try:
        text.encode()
    except UnicodeEncodeError as error:  # half of a surrogate pair: it could not be stored, sent or printed
        raise _BadRowError("a character that is not Unicode text") from error
    if "\0" in text:
        raise _BadRowError("a NUL character")
    return columns, values


def _as_text(value: object) -> str | None:
    """Write a value that is not plain text as it will stand in a message; `None` is no value."""
    if isinstance(value, bytes | bytearray | memoryview):
        raise _BadRowError("a value of bytes, where text was expected")
    try:
        return _written(value)
    except Exception as error:  # a caller's own class may raise anything, and costs only its row
        raise _BadRowError(f"a value that can not become text ({type(error).__name__})") from error


def _written(value: object) -> str | None:
    match value:
        case None:
            return None
        case bool():
            return "true" if value else "false"
        case _FloatAsWritten():
            return str(value)
        case float() if not isfinite(value):  # what pandas has for no value
            return None
        case dict() | list() | tuple():
            return json.dumps(value, ensure_ascii=False, default=str)
        case _:
            return str(value)
