"""What a batch holds: the messages to send and the rows that were passed over on the way to them.

Production makes it from a stretch of the input, the ledger stores it, the sender writes the messages from it again and
the report reads the rest. Every row of the input stands in exactly one batch's content, as a message or as passed over.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from worker.domain.batch import Message
from worker.domain.content_template import Wording
from worker.domain.template import MissingValue


@dataclass(frozen=True, slots=True, kw_only=True)
class Passed:
    """A row of the input that becomes no message.

    `row` is 1 for the first data row. `to` is the E.164 number with +, or what stood there where that is not a number.
    `values` are aligned to the content's columns; what a row has beyond them is not kept.
    """

    row: int
    outcome: Literal["invalid", "duplicate"]
    to: str = field(repr=False)
    reason: str
    values: tuple[str | None, ...] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchContent:
    """The messages of a batch in row order, and the rows passed over since the batch before.

    `rows`, `numbers` (E.164 digits as integers) and `values` (aligned to `columns`; `None`: the row has no value there)
    have one entry a message.
    """

    columns: tuple[str, ...]
    rows: tuple[int, ...]
    numbers: tuple[int, ...] = field(repr=False)
    values: tuple[list[str | None], ...] = field(repr=False)
    passed: tuple[Passed, ...]


def chosen(content: BatchContent, positions: Sequence[int]) -> BatchContent:
    """Return a content of the messages at these positions alone; rows passed over stay where they were."""
    return BatchContent(
        columns=content.columns,
        rows=tuple(content.rows[position] for position in positions),
        numbers=tuple(content.numbers[position] for position in positions),
        values=tuple(content.values[position] for position in positions),
        passed=(),
    )


def halves(content: BatchContent) -> tuple[BatchContent, BatchContent]:
    """Divide the messages of a content in two, in their order; the first half is the smaller one."""
    middle, end = len(content.rows) // 2, len(content.rows)
    return chosen(content, range(middle)), chosen(content, range(middle, end))


def messages(content: BatchContent, template: Wording) -> tuple[Message, ...]:
    """Write the messages of a content, in its order, exactly as production did when it checked them.

    Raises `ValueError` where a value that the template needs is missing: the content was made for another template.
    """
    bodies: list[str] = []
    for row, body in zip(content.rows, map(template.bind(content.columns), content.values), strict=True):
        if isinstance(body, MissingValue):
            message = f"row {row} has no value in column {body.column!r}: its batch was made for another template"
            raise ValueError(message)  # noqa: TRY004 the type of `body` is no mistake of the caller
        bodies.append(body)
    return tuple(map(Message, content.numbers, bodies))
