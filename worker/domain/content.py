"""What a batch holds: the messages to send and the rows that were passed over on the way to them.

Production makes it from a stretch of the input, the ledger stores it, the sender writes the messages from it again and
the report reads the rest. Every row of the input stands in exactly one batch's content, as a message or as passed over.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from operator import attrgetter
from types import MappingProxyType
from typing import Literal

from worker.domain.batch import Message
from worker.domain.content_template import Wording
from worker.domain.template import MissingValue, Template

NO_TEMPLATES: Mapping[str, Template] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Passed:
    """A row of the input that becomes no message.

    `row` is 1 for the first data row. `to` is the E.164 number with +, or what stood there where that is not a number.
    `values` are aligned to the content's columns; what a row has beyond them is not kept.
    """

    row: int
    outcome: Literal["invalid", "duplicate", "suppressed"]
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


def without(content: BatchContent, suppressed: Mapping[int, str]) -> BatchContent:
    """Return the content with the messages at these positions passed over as suppressed, each for its reason."""
    if not suppressed:
        return content
    passed = (
        Passed(
            row=content.rows[position],
            outcome="suppressed",
            to=f"+{content.numbers[position]}",
            reason=reason,
            values=tuple(content.values[position]),
        )
        for position, reason in suppressed.items()
    )
    kept = chosen(content, [position for position in range(len(content.rows)) if position not in suppressed])
    return replace(kept, passed=tuple(sorted((*content.passed, *passed), key=attrgetter("row"))))


def halves(content: BatchContent) -> tuple[BatchContent, BatchContent]:
    """Divide the messages of a content in two, in their order; the first half is the smaller one."""
    middle, end = len(content.rows) // 2, len(content.rows)
    return chosen(content, range(middle)), chosen(content, range(middle, end))


def messages(
    content: BatchContent, template: Wording, options: Mapping[str, Template] = NO_TEMPLATES
) -> tuple[Message, ...]:
    """Write the messages of a content, in its order, exactly as production did when it checked them.

    `options` fill each message's own, by name; messages whose options are equal share one mapping. Raises `ValueError`
    where a value that a template needs is missing: the content was made for another template.
    """
    bodies = _filled(content, template)
    if not options:
        return tuple(map(Message, content.numbers, bodies))
    texts = zip(*(_filled(content, each) for each in options.values()), strict=True)
    own = lru_cache(maxsize=None)(lambda *given: MappingProxyType(dict(zip(options, given, strict=True))))
    return tuple(map(Message, content.numbers, bodies, (own(*given) for given in texts)))


def _filled(content: BatchContent, template: Wording) -> list[str]:
    texts: list[str] = []
    for row, text in zip(content.rows, map(template.bind(content.columns), content.values), strict=True):
        if isinstance(text, MissingValue):
            message = f"row {row} has no value in column {text.column!r}: its batch was made for another template"
            raise ValueError(message)  # noqa: TRY004 the type of `text` is no mistake of the caller
        texts.append(text)
    return texts
