"""How a batch's content lies in Redis: numbers plain, the rest compressed.

Layout: the count n (2 bytes), n numbers (8 bytes each), then zlib over JSON of everything else; integers big-endian.
The numbers lie open so that a script can look them up in the suppression lists; a checksum of them stands in the
compressed part, so that a damaged number is never sent to.
"""

import struct
import zlib
from collections.abc import Sequence
from typing import Any, Literal

import orjson

from worker.domain.content import BatchContent, Passed

_LAYOUT = 1
_COUNT_BYTES = 2
_NUMBER_BYTES = 8
_LEVEL = 1  # level 6 takes twice the time for a tenth less


class PackingError(Exception):
    """The bytes are no batch's content that this version wrote, or are damaged."""


def pack(content: BatchContent) -> bytes:
    """Return the content as bytes for Redis; at most 65,535 messages."""
    head = pack_numbers(content.numbers)
    passed = [(row.row, row.outcome, row.to, row.reason, row.values) for row in content.passed]
    rest = (_LAYOUT, zlib.crc32(head), content.columns, content.rows, content.values, passed)
    return head + zlib.compress(orjson.dumps(rest), _LEVEL)


def pack_numbers(numbers: Sequence[int]) -> bytes:
    """Return numbers as they lie open at the front of a content; at most 65,535."""
    return struct.pack(f">H{len(numbers)}Q", len(numbers), *numbers)


def unpack(packed: bytes) -> BatchContent:
    """Return the content that `pack` wrote; raises `PackingError` for anything else."""
    try:
        return _read(packed)
    except (struct.error, zlib.error, ValueError, TypeError) as error:
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
    columns, rows, values, passed = rest
    if not count == len(rows) == len(values):
        raise ValueError("as many rows as numbers were expected")
    return BatchContent(
        columns=tuple(columns),
        rows=tuple(rows),
        numbers=numbers,
        values=tuple(values),
        passed=tuple(_passed(*each) for each in passed),
    )


def _passed(
    row: int, outcome: Literal["invalid", "duplicate", "suppressed"], to: str, reason: str, values: list[Any]
) -> Passed:
    return Passed(row=row, outcome=outcome, to=to, reason=reason, values=tuple(values))
