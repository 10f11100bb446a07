"""How a batch's content lies in Redis: numbers plain, the rest compressed.

Layout 2: the count n (2 bytes), n numbers (8 bytes each), then zlib over JSON of everything else; integers big-endian.
The numbers lie open so that a script can look them up in the suppression lists; a checksum of them stands in the
compressed part, so that a damaged number is never sent to.

The rest is [layout, checksum, names of columns, rows, columns, passed rows]. Rows that follow each other, as they do
unless some were passed over, stand as their first. Values stand by column, which is shorter than by row, and a column
that spells the numbers anew stands as that spelling and its exceptions.
"""

import struct
import zlib
from collections.abc import Sequence
from typing import Any, Literal

import orjson

from worker.domain.content import BatchContent, Passed

_LAYOUT = 2
_COUNT_BYTES = 2
_NUMBER_BYTES = 8
_LEVEL = 1  # level 6 takes twice the time for a twentieth less

_SPELLINGS = (("+", 0), ("", 0), ("", 2), ("0", 2), ("00", 0))
"""How files spell a number: what stands in front, and how many digits of the country's code are left out."""

_Column = Sequence[str | None]
_Spelled = tuple[int, list[tuple[int, str | None]]]
"""Index of a spelling, and the values that differ from it with their places."""


class PackingError(Exception):
    """The bytes are no batch's content that this version wrote, or are damaged."""


def pack(content: BatchContent) -> bytes:
    """Return the content as bytes for Redis; at most 65,535 messages."""
    head = pack_numbers(content.numbers)
    passed = [(row.row, row.outcome, row.to, row.reason, row.values) for row in content.passed]
    rest = (_LAYOUT, zlib.crc32(head), content.columns, _short_rows(content.rows), _short_columns(content), passed)
    return head + zlib.compress(orjson.dumps(rest), _LEVEL)


def pack_numbers(numbers: Sequence[int]) -> bytes:
    """Return numbers as they lie open at the front of a content; at most 65,535."""
    return struct.pack(f">H{len(numbers)}Q", len(numbers), *numbers)


def unpack(packed: bytes) -> BatchContent:
    """Return the content that `pack` wrote; raises `PackingError` for anything else."""
    try:
        return _read(packed)
    except (struct.error, zlib.error, ValueError, TypeError, LookupError) as error:
        raise PackingError("not the content of a batch, or damaged") from error


def numbers_of(packed: bytes) -> tuple[int, ...]:
    """Return the numbers alone, in order, without unpacking the rest; raises `PackingError`."""
    try:
        (count,) = struct.unpack_from(">H", packed)
        return struct.unpack_from(f">{count}Q", packed, _COUNT_BYTES)
    except struct.error as error:
        raise PackingError("not the content of a batch, or damaged") from error


def _read(packed: bytes) -> BatchContent:
    (count,) = struct.unpack_from(">H", packed)
    end = _COUNT_BYTES + _NUMBER_BYTES * count
    numbers = struct.unpack_from(f">{count}Q", packed, _COUNT_BYTES)
    layout, checksum, *rest = orjson.loads(zlib.decompress(packed[end:]))
    if layout != _LAYOUT or checksum != zlib.crc32(packed[:end]):
        raise ValueError("another layout, or numbers that do not match their checksum")
    names, rows, columns, passed = rest
    rows = tuple(range(rows, rows + count)) if isinstance(rows, int) else tuple(rows)
    whole = [_lengthened(column, numbers) for column in columns]
    # Without a column a row is empty, and without a row there is no column.
    values = tuple(map(list, zip(*whole, strict=True))) if whole else tuple([] for _ in rows)
    if not count == len(rows) == len(values) or (count and len(names) != len(whole)):
        raise ValueError("as many rows as numbers, and as many values as columns, were expected")
    return BatchContent(
        columns=tuple(names),
        rows=rows,
        numbers=numbers,
        values=values,
        passed=tuple(_passed(*each) for each in passed),
    )


def _short_rows(rows: tuple[int, ...]) -> int | tuple[int, ...]:
    is_unbroken = bool(rows) and rows == tuple(range(rows[0], rows[0] + len(rows)))
    return rows[0] if is_unbroken else rows


def _short_columns(content: BatchContent) -> list[_Column | dict[str, _Spelled]]:
    """Return each column, or `{"spelled": …}` where most of it spells the numbers as its first value does."""
    numbers = content.numbers
    firsts = {_spelled(index, numbers[:1])[0]: index for index in range(len(_SPELLINGS))} if numbers else {}
    whole = list(zip(*content.values, strict=True))
    columns: list[_Column | dict[str, _Spelled]] = [*whole]
    for place, column in enumerate(whole):
        index = firsts.get(column[0])
        if index is not None:
            others = _others(column, _spelled(index, numbers))
            if len(others) * 2 < len(column):
                columns[place] = {"spelled": (index, others)}
    return columns


def _others(column: _Column, spelled: list[str]) -> list[tuple[int, str | None]]:
    if [*column] == spelled:
        return []
    return [(place, value) for place, value in enumerate(column) if value != spelled[place]]


def _lengthened(column: Any, numbers: tuple[int, ...]) -> _Column:  # noqa: ANN401 - what stood in Redis
    if isinstance(column, list):
        return column
    index, others = column["spelled"]
    whole: list[str | None] = [*_spelled(index, numbers)]
    for place, value in others:
        whole[place] = value
    return whole


def _spelled(index: int, numbers: tuple[int, ...]) -> list[str]:
    front, cut = _SPELLINGS[index]
    return [front + str(number)[cut:] for number in numbers] if cut else [f"{front}{number}" for number in numbers]


def _passed(
    row: int, outcome: Literal["invalid", "duplicate", "suppressed"], to: str, reason: str, values: list[Any]
) -> Passed:
    return Passed(row=row, outcome=outcome, to=to, reason=reason, values=tuple(values))
