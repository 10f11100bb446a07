"""The per-recipient record: one line for each row of the input, in its order, as stretches and their outcomes tell it.

Read as a stream, some fifty stretches a round trip, so that a report of millions takes no more memory than one of a
hundred. What stands here is the truth of a campaign; its counters are derived, and `audit` compares the two.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from operator import attrgetter
from typing import NamedTuple, assert_never, cast

import redis

from worker.domain.answers import Accepted, MessageOutcome, Rejected, Unconfirmed
from worker.domain.billing import CountSegments, uncounted
from worker.domain.content import BatchContent, Passed
from worker.domain.delivery import News, read_news
from worker.domain.ids import CampaignId
from worker.domain.suppression import why
from worker.ledger import keys
from worker.ledger.errors import translated
from worker.ledger.parts import GOES
from worker.ledger.stored import Stored, stored_batches

OUTCOMES = (
    *("accepted", "rejected", "unconfirmed", "pending", "in_flight", "expired", "cancelled"),
    *("invalid", "duplicate", "suppressed"),
)


class ReportRow(NamedTuple):
    """One row of the input and what became of it; `None` is what there is not.

    `row` is 1 for the first data row. `to` is the E.164 number with +, or what stood there. `sent_at` and
    `delivered_at` are ISO 8601 in UTC. `segments` is what the message is billed as; `None` for a row never queued.
    `values` are the input's own, aligned to `columns`.
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
    segments: int | None
    columns: tuple[str, ...]
    values: Sequence[str | None]


FIELDS = ReportRow._fields[:-2]
"""What a report line has before the input's own columns."""

_row_number = attrgetter("row")


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
        union.update(dict.fromkeys(stored.content().columns))
    return tuple(union)


def report_rows(
    client: redis.Redis, campaign_id: CampaignId, count_segments: CountSegments = uncounted
) -> Iterator[ReportRow]:
    """Give every row that production has written so far, in row order; raises `LedgerError`.

    `count_segments` is the campaign's own; without it no row says how many it takes.
    A campaign that moves meanwhile gives each row as it was when its stretch was read.
    """
    waiting, count = _campaign(client, campaign_id)
    for stored in stored_stretches(client, campaign_id, count):
        yield from rows_of(client, stored, waiting, count_segments)


def stored_stretches(client: redis.Redis, campaign_id: CampaignId, count: int) -> Iterator[Stored]:
    """Give stretches 1 to `count`, in order."""
    return stored_batches(client, campaign_id, range(1, count + 1))


def fate_of_waiting(state: str, ended: str) -> str:
    """Return what became of messages that wait; the queue of a campaign that is over was dropped whole."""
    return "expired" if ended == "1" else "cancelled" if state == "cancelled" else "pending"


def rows_of(
    client: redis.Redis, stored: Stored, waiting: str, count_segments: CountSegments = uncounted
) -> list[ReportRow]:
    """Return the rows of one stretch in row order; raises `LedgerBroken` where it is missing or damaged.

    `waiting` is the outcome of messages that wait.
    A message that moved to another batch counts there, and its line tells of that one.
    """
    content = stored.content()
    rows = _message_rows(stored, content, waiting, count_segments(content))
    if stored.children:
        moved = {
            row.row: row
            for child in stored_batches(client, stored.campaign, stored.children)
            for row in rows_of(client, child, waiting)
        }
        rows = [_following(row, moved.get(row.row)) for row in rows]
    if content.passed:
        rows += [_passed_row(passed, content.columns) for passed in content.passed]
        rows.sort(key=_row_number)
    return rows


def _following(row: ReportRow, moved: ReportRow | None) -> ReportRow:
    if moved is None:
        return row
    return moved._replace(attempts=row.attempts + moved.attempts, segments=row.segments)


def _campaign(client: redis.Redis, campaign_id: CampaignId) -> tuple[str, int]:
    with translated():
        fields = cast(list[bytes | None], client.hmget(keys.campaign(campaign_id), ["state", "ended", "stretches"]))
    state, ended, count = ((field or b"").decode() for field in fields)
    return fate_of_waiting(state, ended), int(count or 0)


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


def _message_rows(
    stored: Stored, content: BatchContent, waiting: str, segments: Sequence[int | None]
) -> list[ReportRow]:
    columns = content.columns
    return [
        ReportRow(row, f"+{number}", *fate, taken, columns, values)
        for row, number, values, taken, fate in zip(
            content.rows,
            content.numbers,
            content.values,
            segments,
            _fates(stored, len(content.rows), waiting),
            strict=True,
        )
    ]


def _fates(stored: Stored, count: int, waiting: str) -> list[_Fate]:
    """Return what became of each message: its mask first, then its batch's state, then its outcome and its news."""
    batch, kind = stored.number, stored.kind
    account = stored.state.get(b"account", b"").decode() or None
    attempts = int(stored.state.get(b"attempts", 1))
    match kind:
        case "waiting":
            common = _Fate(waiting, batch=batch)
        case "sending":
            common = _Fate("in_flight", account=account, batch=batch, attempts=1)
        case _:
            common = _Fate("moved", account=account, batch=batch, attempts=attempts)
    fates = [common] * count
    if kind == "settled":
        sent_at = _iso(stored.settlement(count).sent_at)
        for place, outcome in stored.told(count).items():
            fates[place] = _fate(outcome, account, batch, attempts, sent_at, _Told.of(stored, place))
    for place, letter in enumerate(stored.mask):
        if letter != GOES:
            fates[place] = _masked(stored, place)
    return fates


class _Told(NamedTuple):
    """What reports have told of one message."""

    news: News | None
    gateway_id: str | None

    @classmethod
    def of(cls, stored: Stored, place: int) -> "_Told":
        line = stored.news.get(place)
        return cls(read_news(line) if line else None, stored.gateway_ids.get(place))


def _masked(stored: Stored, place: int) -> _Fate:
    match stored.mask[place]:
        case "p":
            return _Fate("moved", batch=stored.number)
        case "r":
            told = _Told.of(stored, place)
            fate = _Fate("accepted", gateway_id=told.gateway_id, batch=stored.number, delivery="awaiting")
            return _delivered(fate, told)
        case _:
            return _Fate("suppressed", reason=why(stored.suppressed.get(place, "hand@global")))


def _fate(outcome: MessageOutcome, account: str | None, batch: int, attempts: int, sent_at: str, told: _Told) -> _Fate:
    match outcome:
        case Rejected(code=code, reason=reason):
            return _Fate("rejected", code or None, reason or None, account, None, batch, attempts, sent_at)
        case Accepted(gateway_id=gateway_id, code=code):
            named = gateway_id or told.gateway_id or None
            fate = _Fate("accepted", code or None, None, account, named, batch, attempts, sent_at, "awaiting")
            return _delivered(fate, told)
        case Unconfirmed(code=code, reason=reason) if told.news is None:
            return _Fate("unconfirmed", code or None, reason or None, account, None, batch, attempts, sent_at)
        case Unconfirmed():
            fate = _Fate("accepted", None, None, account, told.gateway_id, batch, attempts, sent_at, "awaiting")
            return _delivered(fate, told)
        case _:
            assert_never(outcome)


def _delivered(fate: _Fate, told: _Told) -> _Fate:
    news = told.news
    if news is None:
        return fate
    match news.state:
        case "sent":
            return fate._replace(delivery_code=news.code or None)
        case "failed":
            return fate._replace(delivery="undelivered", delivery_code=news.code or None, reason=news.text or None)
        case "delivered" | "seen":
            at = None if news.at is None else _iso(news.at)
            return fate._replace(delivery="delivered", delivery_code=news.code or None, delivered_at=at)
        case _:
            assert_never(news.state)


def _passed_row(passed: Passed, columns: tuple[str, ...]) -> ReportRow:
    return ReportRow(passed.row, passed.to, *_Fate(passed.outcome, reason=passed.reason), None, columns, passed.values)


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
