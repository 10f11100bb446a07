"""The per-recipient record: one line for each row of the input, in its order, as stretches and their outcomes tell it.

Read as a stream, some fifty stretches a round trip, so that a report of millions takes no more memory than one of a
hundred. What stands here is the truth of a campaign; its counters are derived, and `audit` compares the two.
"""

import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from operator import attrgetter
from typing import NamedTuple, assert_never, cast

import redis

from worker.domain.answers import Accepted, MessageOutcome, Rejected, Unconfirmed
from worker.domain.content import BatchContent, Passed
from worker.domain.ids import CampaignId
from worker.ledger import keys
from worker.ledger.errors import LedgerBroken, translated
from worker.ledger.outcomes import unpack_outcomes
from worker.ledger.packing import PackingError, unpack

AT_ONCE = 50
"""Stretches read in one round trip: about 5,000 rows, some 300 KB."""

OUTCOMES = (
    *("accepted", "rejected", "unconfirmed", "pending", "in_flight", "expired", "cancelled"),
    *("invalid", "duplicate", "suppressed"),
)

NO_ANSWER = "no answer: the worker that sent it stopped before it could tell"


class ReportRow(NamedTuple):
    """One row of the input and what became of it; `None` is what there is not.

    `row` is 1 for the first data row. `to` is the E.164 number with +, or what stood there. `sent_at` and
    `delivered_at` are ISO 8601 in UTC. `values` are the input's own, aligned to `columns`.
    """

    row: int
    to: str
    outcome: str
    code: str | None
    reason: str | None
    account: str | None
    gateway_id: str | None
    batch: int | None
    attempts: int
    sent_at: str | None
    delivery: str | None
    delivery_code: str | None
    delivered_at: str | None
    columns: tuple[str, ...]
    values: Sequence[str | None]


FIELDS = ReportRow._fields[:-2]
"""What a report line has before the input's own columns."""

_row_number = attrgetter("row")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """One stretch as it lies in Redis; `packed` is `None` where it is missing, `state` empty while it waits."""

    number: int
    packed: bytes | None = field(repr=False)
    state: Mapping[bytes, bytes]
    outcomes: bytes | None = field(repr=False)


def own_names(columns: Sequence[str]) -> list[str]:
    """Return the input's columns as a report names them: with `in_` before a name that clashes."""
    taken = set(FIELDS)
    names = []
    for column in columns:
        name = column
        while name in taken:
            name = f"in_{name}"
        taken.add(name)
        names.append(name)
    return names


def report_columns(client: redis.Redis, campaign_id: CampaignId) -> tuple[str, ...]:
    """Return all columns of a campaign's input, in order of appearance: rows of JSON Lines may differ in theirs.

    Reads every stretch once; raises `LedgerError`.
    """
    _, count = _campaign(client, campaign_id)
    union: dict[str, None] = {}
    for stored in stored_stretches(client, campaign_id, count):
        union.update(dict.fromkeys(_content(campaign_id, stored).columns))
    return tuple(union)


def report_rows(client: redis.Redis, campaign_id: CampaignId) -> Iterator[ReportRow]:
    """Give every row that production has written so far, in row order; raises `LedgerError`.

    A campaign that moves meanwhile gives each row as it was when its stretch was read.
    """
    state, count = _campaign(client, campaign_id)
    for stored in stored_stretches(client, campaign_id, count):
        yield from rows_of(client, campaign_id, stored, state)


def stored_stretches(client: redis.Redis, campaign_id: CampaignId, count: int) -> Iterator[Stored]:
    """Give stretches 1 to `count`, in order."""
    return stored_batches(client, campaign_id, range(1, count + 1))


def stored_batches(client: redis.Redis, campaign_id: CampaignId, wanted: Sequence[int]) -> Iterator[Stored]:
    """Give the batches of these numbers, in order."""
    for first in range(0, len(wanted), AT_ONCE):
        numbers = wanted[first : first + AT_ONCE]
        with translated():
            pipeline = client.pipeline(transaction=False)
            for number in numbers:
                pipeline.get(keys.packed(campaign_id, number))
                # The state before the outcomes: they are written by one script, so whoever sees it sees them.
                pipeline.hgetall(keys.batch_state(campaign_id, number))
                pipeline.get(keys.outcomes(campaign_id, number))
            replies = pipeline.execute()
        for number, packed, state, outcomes in zip(numbers, *(replies[i::3] for i in range(3)), strict=True):
            yield Stored(number=number, packed=packed, state=state, outcomes=outcomes)


def rows_of(client: redis.Redis, campaign_id: CampaignId, stored: Stored, campaign_state: str) -> list[ReportRow]:
    """Return the rows of one stretch in row order; raises `LedgerBroken` where it is missing or damaged.

    A message that moved to another batch counts there, and its line tells of that one.
    """
    content = _content(campaign_id, stored)
    try:
        rows = _message_rows(stored, content, campaign_state)
    except (zlib.error, ValueError, TypeError, KeyError) as error:
        raise LedgerBroken(f"the outcomes of batch {stored.number} of {campaign_id} can not be read") from error
    children = [int(number) for number in stored.state.get(b"children", b"").split()]
    if children:
        moved = {
            row.row: row
            for child in stored_batches(client, campaign_id, children)
            for row in rows_of(client, campaign_id, child, campaign_state)
        }
        rows = [_following(row, moved.get(row.row)) for row in rows]
    if content.passed:
        rows += [_passed_row(passed, content.columns) for passed in content.passed]
        rows.sort(key=_row_number)
    return rows


def _following(row: ReportRow, moved: ReportRow | None) -> ReportRow:
    return row if moved is None else moved._replace(attempts=row.attempts + moved.attempts)


def _campaign(client: redis.Redis, campaign_id: CampaignId) -> tuple[str, int]:
    with translated():
        state, count = cast(list[bytes | None], client.hmget(keys.campaign(campaign_id), ["state", "stretches"]))
    return (state or b"").decode(), int(count or 0)


def _content(campaign_id: CampaignId, stored: Stored) -> BatchContent:
    if stored.packed is None:
        raise LedgerBroken(f"batch {stored.number} of {campaign_id} is not in Redis any more")
    try:
        return unpack(stored.packed)
    except PackingError as error:
        raise LedgerBroken(f"batch {stored.number} of {campaign_id}: {error}") from error


class _Fate(NamedTuple):
    """The part of a line that a message owes to its batch or its outcome, in the order of a report line."""

    outcome: str
    code: str | None = None
    reason: str | None = None
    account: str | None = None
    gateway_id: str | None = None
    batch: int | None = None
    attempts: int = 0
    sent_at: str | None = None
    delivery: str | None = None
    delivery_code: str | None = None
    delivered_at: str | None = None


def _message_rows(stored: Stored, content: BatchContent, campaign_state: str) -> list[ReportRow]:
    columns = content.columns
    return [
        ReportRow(row, f"+{number}", *fate, columns, values)
        for row, number, values, fate in zip(
            content.rows,
            content.numbers,
            content.values,
            _fates(stored, len(content.rows), campaign_state),
            strict=True,
        )
    ]


def _fates(stored: Stored, count: int, campaign_state: str) -> list[_Fate]:
    state, batch = stored.state, stored.number
    if not state:
        # A cancelled campaign's queue was dropped whole, without a word to its batches.
        return [_Fate("cancelled" if campaign_state == "cancelled" else "pending", batch=batch)] * count
    account = state[b"account"].decode()
    if state[b"state"] == b"sending":
        return [_Fate("in_flight", account=account, batch=batch, attempts=1)] * count
    if state[b"state"] == b"moved":
        return [_Fate("moved", account=account, batch=batch, attempts=int(state[b"attempts"]))] * count
    attempts = int(state.get(b"attempts", 1))
    if state.get(b"expired") == b"1":
        sent_at = _iso(float(state[b"slot"]) / 1e6)
        lost = _Fate("unconfirmed", reason=NO_ANSWER, account=account, batch=batch, attempts=attempts, sent_at=sent_at)
        return [lost] * count
    if stored.outcomes is None:
        raise ValueError("a settled batch without outcomes")
    outcomes = unpack_outcomes(stored.outcomes)
    sent_at = _iso(outcomes.sent_at)
    return [_fate(outcome, account, batch, attempts, sent_at) for outcome in outcomes.messages]


def _fate(outcome: MessageOutcome, account: str, batch: int, attempts: int, sent_at: str) -> _Fate:
    match outcome:
        case Accepted(gateway_id=gateway_id, code=code):
            named = gateway_id or None
            return _Fate("accepted", code or None, None, account, named, batch, attempts, sent_at, "awaiting")
        case Rejected(code=code, reason=reason):
            return _Fate("rejected", code or None, reason or None, account, None, batch, attempts, sent_at)
        case Unconfirmed(code=code, reason=reason):
            return _Fate("unconfirmed", code or None, reason or None, account, None, batch, attempts, sent_at)
        case _:
            assert_never(outcome)


def _passed_row(passed: Passed, columns: tuple[str, ...]) -> ReportRow:
    return ReportRow(passed.row, passed.to, *_Fate(passed.outcome, reason=passed.reason), columns, passed.values)


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
