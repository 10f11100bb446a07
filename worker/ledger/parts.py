"""Which messages of a batch are meant: all of it, those that go on the wire, or one that has become a batch of its own.

A gateway that takes one recipient a call gets its batches message by message: each becomes a batch of its own, a part,
which is stored as a reference to the batch that it came from (part.lua). A mask tells of a batch which messages go on
the wire (messages.lua); outcomes are kept for those alone, in their order.
"""

import re
from dataclasses import dataclass

from worker.domain.content import BatchContent, chosen
from worker.ledger.packing import PackingError, numbers_of, unpack

GOES = "."

_HEAD_BYTES = 10
_REFERENCE = re.compile(rb"R(\d{1,9}) (\d{1,5})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One message of another batch: its `position` there, from 0."""

    batch: int
    position: int


def part_of(packed: bytes) -> Part | None:
    """Return of which batch the packed one is a part; `None`: it is a batch of its own."""
    found = _REFERENCE.fullmatch(packed, _HEAD_BYTES)
    return None if found is None else Part(batch=int(found[1]), position=int(found[2]))


def open_batch(packed: bytes, whole: bytes) -> BatchContent:
    """Return the content of a batch; `whole` is what it is a part of, packed, and not looked at where it is none.

    Raises `PackingError`.
    """
    part = part_of(packed)
    if part is None:
        return unpack(packed)
    content = unpack(whole)
    if part.position >= len(content.numbers) or content.numbers[part.position] != numbers_of(packed)[0]:
        raise PackingError("a part of a batch that does not have it")
    return chosen(content, [part.position])


def positions_on_wire(mask: str, count: int) -> list[int]:
    """Return the positions, of `count`, that go on the wire or went."""
    return [position for position, letter in enumerate(mask) if letter == GOES] if mask else list(range(count))


def content_on_wire(packed: bytes, whole: bytes, mask: str) -> BatchContent:
    """Return the content of what goes on the wire of a batch; raises `PackingError`."""
    content = open_batch(packed, whole)
    return chosen(content, positions_on_wire(mask, len(content.numbers))) if mask else content
