"""Rows from objects: JSON Lines and Python mappings, whose columns may differ from row to row."""

import itertools
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NoReturn, Self

from worker.intake.rows import BadRow, Block, refuse

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


class _BadLineError(ValueError):
    """The line is JSON that can not be taken for a recipient; the message is the reason."""


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
    raise _BadLineError(f"{name} is not JSON")


def _object_of(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise _BadLineError("a key stands twice in the object")
    return found


_decode_json = json.JSONDecoder(
    parse_constant=_refuse_constant, parse_float=_FloatAsWritten, object_pairs_hook=_object_of
).decode


def _read_line(line: str) -> _Read:
    text = line.strip()
    try:
        value = _decode_json(text)
    except _BadLineError as error:
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
    columns = tuple(row)
    values = [value if value.__class__ is str else _as_text(value) for value in row.values()]
    try:
        "".join(columns).encode()
        "".join(filter(None, values)).encode()
    except UnicodeEncodeError:  # half of a surrogate pair: it could not be stored, sent or printed
        return BadRow(reason="a character that is not Unicode text", read=ascii([*zip(columns, values, strict=True)]))
    return columns, values


def _as_text(value: object) -> str | None:
    """Write a value that is not plain text as it will stand in a message; `None` is no value."""
    match value:
        case None:
            return None
        case bool():
            return "true" if value else "false"
        case dict() | list() | tuple():
            return json.dumps(value, ensure_ascii=False, default=str)
        case _:
            return str(value)
