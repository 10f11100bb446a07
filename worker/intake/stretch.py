"""The rows read since the last batch, and what they become when the batch is complete."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

import orjson

from worker.domain.content import BatchContent, Passed, without
from worker.intake.rows import BadRow

MAX_PASSED_ROWS = 1000
"""So many rows passed over end a stretch: an input that is all wrong does not pile up in memory."""

MAX_BYTES = 4 << 20
"""So much text, as JSON, ends a stretch too: a thousand rows may be long ones."""

MAX_CELLS = 1_000_000
"""So many rows times columns as well: where rows differ in their columns, each is brought to the columns of all."""

_MEASURED_ROWS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """One stretch of the input, ready to be queued as a batch.

    `bodies` are the messages' texts as they will be sent, for whoever counts or shows them: they are not stored.
    `rows`, `invalid` and `duplicate` count this stretch, and `suppressed` whom a look-up has passed over since: rows =
    messages + invalid + duplicate + suppressed. `last_row` is its last row (1 is the first data row). `digest` (32 hex
    digits) is over all rows from the first up to `last_row`, with their columns: it depends on nothing else, neither on
    the campaign nor on where batches end. `size_bytes` is what the rows of this stretch take as JSON.
    """

    content: BatchContent
    bodies: tuple[str, ...] = field(repr=False)
    last_row: int
    rows: int
    invalid: int
    duplicate: int
    digest: str
    size_bytes: int
    suppressed: int = 0

    def without(self, suppressed: Mapping[int, str]) -> "Prepared":
        """Return it with the messages at these positions passed over as suppressed, each for its reason."""
        if not suppressed:
            return self
        return replace(
            self,
            content=without(self.content, suppressed),
            bodies=tuple(body for place, body in enumerate(self.bodies) if place not in suppressed),
            suppressed=self.suppressed + len(suppressed),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """Why a row becomes no message. `to` is the E.164 number with +, or what stood there."""

    outcome: Literal["invalid", "duplicate"]
    to: str = field(repr=False)
    reason: str


class Stretch:
    """Collects rows in input order, each by `take` or `pass_over`; `end` closes it and starts the next one.

    The body of a row that is taken is put into `bodies` beforehand, by whoever rendered it.
    """

    def __init__(self, batch_size: int) -> None:
        """Start before the first row; a stretch ends with its `batch_size`-th message, or earlier where it is large."""
        self.bodies: list[str] = []
        self._batch_size = batch_size
        self._hash = hashlib.blake2b(digest_size=16)
        self._last_row = 0
        self._columns: tuple[str, ...] | None = None
        self._clear()

    def _clear(self) -> None:
        self._read: list[object] = []
        self._rows: list[int] = []
        self._numbers: list[int] = []
        self.bodies.clear()
        self._values: list[list[str | None]] = []
        self._refused: list[tuple[int, Refused, list[str | None]]] = []
        self._shapes = [(self._columns or (), 0, 0)]
        self._union = dict.fromkeys(self._columns or ())
        self._size_bytes = 0

    def has_room_for(self, columns: tuple[str, ...]) -> bool:
        """Return whether a row with these columns may be added, or the stretch must end before."""
        width = len(self._union) + sum(column not in self._union for column in columns)
        return self.is_empty or (self._count + 1) * width <= MAX_CELLS

    def enter(self, columns: tuple[str, ...]) -> None:
        """Note that the rows that follow have these columns."""
        if columns == self._columns:
            return
        self._columns = columns
        self._read.append({"columns": columns})
        self._shapes.append((columns, len(self._values), len(self._refused)))
        if self.is_empty:
            self._union.clear()
        self._union |= dict.fromkeys(columns)

    def take(self, number: int, values: list[str | None]) -> bool:
        """Add a row that becomes a message; return whether the stretch must end."""
        self._last_row += 1
        self._read.append(values)
        self._rows.append(self._last_row)
        self._numbers.append(number)
        self._values.append(values)
        return len(self._rows) == self._batch_size or (len(self._read) >= _MEASURED_ROWS and self._is_large())

    def pass_over(self, refused: Refused, row: list[str | None] | BadRow) -> bool:
        """Add a row that becomes no message; return whether the stretch must end."""
        self._last_row += 1
        values = row.fitted(len(self._columns or ())) if isinstance(row, BadRow) else row
        self._read.append(row.read if isinstance(row, BadRow) else row)
        self._refused.append((self._last_row, refused, values))
        return len(self._refused) == MAX_PASSED_ROWS or (len(self._read) >= _MEASURED_ROWS and self._is_large())

    @property
    def is_empty(self) -> bool:
        """No row has come since the last end."""
        return not self._rows and not self._refused

    @property
    def _count(self) -> int:
        return len(self._rows) + len(self._refused)

    def _is_large(self) -> bool:
        """Return whether the stretch is too large to go on."""
        self._digest()
        return self._size_bytes >= MAX_BYTES or self._count * len(self._union) >= MAX_CELLS

    def _digest(self) -> None:
        if self._read:
            # The rows' JSON texts, each with a comma: the same bytes wherever a stretch ends.
            text = orjson.dumps(self._read)[1:-1] + b","
            self._hash.update(text)
            self._size_bytes += len(text)
            self._read.clear()

    def end(self) -> Prepared:
        """Return the stretch as a batch and start the next one."""
        self._digest()
        duplicate = sum(refused.outcome == "duplicate" for _, refused, _ in self._refused)
        prepared = Prepared(
            content=self._content(),
            bodies=tuple(self.bodies),
            last_row=self._last_row,
            rows=self._count,
            invalid=len(self._refused) - duplicate,
            duplicate=duplicate,
            digest=self._hash.hexdigest(),
            size_bytes=self._size_bytes,
        )
        self._clear()
        return prepared

    def _content(self) -> BatchContent:
        columns = self._align()
        passed = (
            Passed(row=row, outcome=refused.outcome, to=refused.to, reason=refused.reason, values=tuple(values))
            for row, refused, values in self._refused
        )
        return BatchContent(
            columns=columns,
            rows=tuple(self._rows),
            numbers=tuple(self._numbers),
            values=tuple(self._values),
            passed=tuple(passed),
        )

    def _align(self) -> tuple[str, ...]:
        """Bring all values to the union of the columns, in order of appearance, and return it."""
        ends = [*self._shapes[1:], ((), len(self._values), len(self._refused))]
        spans = [
            (columns, slice(taken, taken_end), slice(passed, passed_end))
            for (columns, taken, passed), (_, taken_end, passed_end) in zip(self._shapes, ends, strict=True)
            if taken < taken_end or passed < passed_end
        ]
        if len(spans) == 1:
            return spans[0][0]
        union = tuple(dict.fromkeys(column for columns, _, _ in spans for column in columns))
        for columns, taken, passed in spans:
            self._values[taken] = [_spread(columns, values, union) for values in self._values[taken]]
            self._refused[passed] = [
                (row, refused, _spread(columns, values, union)) for row, refused, values in self._refused[passed]
            ]
        return union


def _spread(columns: tuple[str, ...], values: list[str | None], union: tuple[str, ...]) -> list[str | None]:
    known = dict(zip(columns, values, strict=True))
    return [known.get(column) for column in union]
