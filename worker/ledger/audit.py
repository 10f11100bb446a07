"""The audit: the counters of a campaign against what the per-recipient record says, and the law that ties them.

The counters are what `status` answers in constant time; every script that changes the record moves them. Where the two
differ a script is wrong or Redis has lost something, and then the record is right.
"""

from array import array
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import redis

from worker.domain.billing import CountSegments, uncounted
from worker.domain.ids import CampaignId
from worker.ledger import keys
from worker.ledger.errors import LedgerBroken, translated
from worker.ledger.record import OUTCOMES, ReportRow, fate_of_waiting, rows_of, stored_stretches

TRIES = 5
"""A campaign that moves while it is recounted is recounted so often; then only its counters are audited."""

_BEFORE_QUEUE = ("invalid", "duplicate", "suppressed", "queued")
_QUEUED = ("pending", "in_flight", "accepted", "rejected", "unconfirmed", "expired", "cancelled")
_BUCKETS = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class _Books:
    """What the campaign says of itself, read at one instant.

    Nothing moved between two that are equal: what left and came back was taken, and `takes` counts that.
    """

    fields: dict[str, str]
    codes: dict[str, int]
    queue: list[int]

    def count(self, name: str) -> int:
        return int(self.fields[name])


@dataclass(slots=True, kw_only=True)
class _Recount:
    """The same from the record of its recipients."""

    outcomes: Counter[str] = field(default_factory=Counter)
    codes: Counter[str] = field(default_factory=Counter)
    deliveries: Counter[str] = field(default_factory=Counter)
    waiting: set[int] = field(default_factory=set)
    broken: list[str] = field(default_factory=list)
    rows: int = 0
    segments: int | None = None  # nobody counts them
    last_row: int = 0
    gaps: int = 0
    # In parts, so that looking for doubles takes a small set at a time: 8 bytes a number, whatever the campaign's size.
    numbers: list["array[int]"] = field(default_factory=lambda: [array("Q") for _ in range(_BUCKETS)])

    def doubles(self) -> int:
        return sum(len(part) - len(set(part)) for part in self.numbers)


def audit(client: redis.Redis, campaign_id: CampaignId, count_segments: CountSegments = uncounted) -> tuple[str, ...]:
    """Return what does not add up, in words; nothing where all does. Raises `LedgerUnavailable`.

    Every counter is recounted, each row must stand exactly once, no number may be queued twice, the queue must hold
    each waiting batch exactly once, and a finished campaign may have nothing pending or in flight. Segments are
    recounted where `count_segments` is given: the campaign's own.
    """
    before = _books(client, campaign_id)
    for _ in range(TRIES):
        if not before.fields:
            return (f"the ledger has no campaign {campaign_id}",)
        recount = _recount(client, campaign_id, before, count_segments)
        after = _books(client, campaign_id)
        if after == before:
            return (*_law(before), *_compare(before, recount))
        before = after
    return _law(before)


def _books(client: redis.Redis, campaign_id: CampaignId) -> _Books:
    with translated():
        pipeline = client.pipeline(transaction=True)
        pipeline.hgetall(keys.campaign(campaign_id))
        pipeline.hgetall(keys.codes(campaign_id))
        pipeline.lrange(keys.queue(campaign_id), 0, -1)
        fields, codes, queue = pipeline.execute()
    return _Books(
        fields={name.decode(): value.decode() for name, value in fields.items()},
        codes={name.decode(): int(value) for name, value in codes.items()},
        queue=[int(number) for number in queue],
    )


def _recount(client: redis.Redis, campaign_id: CampaignId, books: _Books, count_segments: CountSegments) -> _Recount:
    found = _Recount(segments=None if count_segments is uncounted else 0)
    waiting = fate_of_waiting(books.fields["state"], books.fields["ended"])
    for stored in stored_stretches(client, campaign_id, books.count("stretches")):
        try:
            _count_stretch(rows_of(client, stored, waiting, count_segments), found)
        except LedgerBroken as error:
            found.broken.append(str(error))
    return found


def _count_stretch(rows: list[ReportRow], found: _Recount) -> None:
    for row in rows:
        found.rows += 1
        found.gaps += row.row != found.last_row + 1
        found.last_row = row.row
        found.outcomes[row.outcome] += 1
        if found.segments is not None:
            found.segments += row.segments or 0
        if row.batch is not None:
            number = int(row.to)
            found.numbers[number % _BUCKETS].append(number)
        if row.outcome == "rejected":
            found.codes[f"{row.code or ''} {row.reason or ''}".strip()] += 1
        if row.delivery == "undelivered":
            found.codes[f"{row.delivery_code or ''} {row.reason or ''}".strip() or "UNDELIVERED"] += 1
        if row.delivery is not None:
            found.deliveries[row.delivery] += 1
        if row.outcome == "pending" and row.batch is not None:
            found.waiting.add(row.batch)


def _law(books: _Books) -> tuple[str, ...]:
    broken = []
    for whole, parts in (("rows", _BEFORE_QUEUE), ("queued", _QUEUED)):
        total = sum(books.count(part) for part in parts)
        if books.count(whole) != total:
            broken.append(f"{whole} is {books.count(whole):,}, but {' + '.join(parts)} is {total:,}")
    if books.fields["state"] == "finished" and (books.count("pending") or books.count("in_flight")):
        left = f"{books.count('pending'):,} pending and {books.count('in_flight'):,} in flight"
        broken.append(f"the campaign is finished with {left}")
    return tuple(broken)


def _compare(books: _Books, found: _Recount) -> Iterator[str]:
    yield from found.broken
    counted = {outcome: found.outcomes[outcome] for outcome in OUTCOMES}
    counted |= {name: found.deliveries[name] for name in ("delivered", "undelivered")}
    counted |= {"rows": found.rows, "queued": sum(found.outcomes[outcome] for outcome in _QUEUED)}
    counted |= {} if found.segments is None else {"segments": found.segments}
    for name, count in counted.items():
        if books.count(name) != count:
            yield f"{name} is {books.count(name):,} in the campaign, but {count:,} in the record of its recipients"
    for code in sorted(books.codes.keys() | found.codes.keys()):
        said, count = books.codes.get(code, 0), found.codes[code]
        if said != count:
            yield f"{code} is {said:,} in the campaign, but {count:,} in the record of its recipients"
    if found.gaps and not found.broken:
        yield f"the rows do not follow each other at {found.gaps:,} places: each from 1 on must stand exactly once"
    if doubles := found.doubles():
        yield f"{doubles:,} messages are queued for a number that has one already"
    if sorted(books.queue) != sorted(found.waiting):
        yield (
            f"the queue has {len(books.queue):,} batches, but {len(found.waiting):,} wait: "
            "each must stand there exactly once"
        )
