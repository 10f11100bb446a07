"""Produce: the input streams into batches in the ledger, and the campaign starts when the last row is in.

Invariant: every row is written once, in order. A producer killed at any point is continued by the same command: it
reads the input again from the first row, writes nothing until it is where the ledger is, and goes on only if what it
has read is what the first one read; before that it takes nothing from a producer that is still alive. Where a stretch
ends is decided before its numbers are looked up in the suppression lists: these may change between two producers, and
the second still finds its place. Wrong input leaves nothing behind.
"""

import secrets
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import redis

from config.errors import ConfigError
from worker.domain.ids import CampaignId
from worker.domain.segments import total_segments
from worker.domain.suppression import EVERY_SENDER, Checks, why
from worker.intake.batches import OF_BODIES, GatewayChecks, prepare
from worker.intake.campaign import Campaign
from worker.intake.message_options import fields_in
from worker.intake.rows import RowSource
from worker.intake.stretch import MAX_BYTES, Prepared
from worker.ledger.errors import translated
from worker.ledger.packing import pack
from worker.ledger.production import (
    Continue,
    Differs,
    New,
    Stretch,
    Whole,
    append,
    begin,
    discard,
    look,
    start,
)
from worker.ledger.suppression import find_suppressed

_EPOCH = datetime.fromtimestamp(0, UTC)

CHUNK = 20
"""Stretches written by one script: at most 2,000 messages, about 40 KB; fewer where their rows are long."""

NOTHING_READ = Continue(position=0, digest="")


class ProductionLost(Exception):
    """Another producer has taken this campaign over, or it was cancelled; this one wrote nothing since."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Produced:
    """Production is whole now; `state` is the campaign's."""

    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WasThere:
    """Production was whole before, in `state`; nothing was changed."""

    state: str


def nobody(_rows: int) -> None:
    """Be told of progress, and do nothing."""


def produce(
    client: redis.Redis,
    campaign_id: CampaignId,
    campaign: Campaign,
    rows: RowSource,
    *,
    hold: str = "",
    on_progress: Callable[[int], None] = nobody,
    checks: GatewayChecks = OF_BODIES,
) -> Produced | WasThere:
    """Queue every row of the input once, then let the campaign start, or wait paused with the reason `hold`.

    `on_progress` is told the number of rows read; `checks` are the gateway's. Raises `ConfigError`
    where the input or the file is wrong, `ProductionLost`, and `LedgerError`.
    """
    prepared = prepare(rows, campaign, checks=checks)
    passed = _pass_over(
        campaign_id, prepared, look(client, campaign_id, file_digest=campaign.digest), NOTHING_READ, on_progress
    )
    token = secrets.token_urlsafe(12)
    opening = begin(
        client,
        campaign_id,
        token=token,
        file_digest=campaign.digest,
        doc=campaign.to_json(),
        name=campaign.name,
        accounts=campaign.accounts,
        on_unconfirmed=campaign.on_unconfirmed,
        priority=campaign.priority,
        starts_at=_microseconds(campaign.start_at),
        ends_at=_microseconds(campaign.expires_at),
        has_hours=campaign.hours is not None,
        checks=checks_of(campaign),
    )
    match opening:
        case Whole(state=state):
            return WasThere(state=state)
        case Differs():
            raise ConfigError(
                f"the production of {campaign_id} was begun with another campaign file: "
                "give that file, or another --id, or cancel it"
            )
        case New():
            position = 0
            if passed != NOTHING_READ:  # what it went on with was cancelled or discarded meanwhile
                discard(client, campaign_id, token=token)
                raise _lost(campaign_id)
        case Continue(position=position):
            # The producer that had it until now may have written more.
            _pass_over(campaign_id, prepared, opening, passed, on_progress)
    try:
        if isinstance(opening, New):
            check_end(campaign, datetime.now(UTC))
        position = _append_all(client, campaign_id, token, campaign, prepared, position, on_progress)
    except ConfigError:
        discard(client, campaign_id, token=token)
        raise
    hours = hours_around(campaign, _server_time(client))
    state = start(client, campaign_id, token=token, position=position, hold=hold, hours=hours)
    if not state:
        raise _lost(campaign_id)
    return Produced(state=state)


def check_end(campaign: Campaign, now: datetime) -> None:
    """Raise `ConfigError` where a campaign that is not begun yet would have ended before."""
    if campaign.expires_at is not None and campaign.expires_at <= now:
        raise ConfigError(f'campaign {campaign.name}: "expires_at" is past: nothing of it would be sent')


def _pass_over(
    campaign_id: CampaignId,
    prepared: Iterator[Prepared],
    to: New | Continue,
    passed: Continue,
    on_progress: Callable[[int], None],
) -> Continue:
    """Read on from what is `passed` to where the ledger is, and make sure that it was this input that led there."""
    if isinstance(to, New):
        return passed
    while passed.position < to.position and (stretch := next(prepared, None)) is not None:
        passed = Continue(position=stretch.last_row, digest=stretch.digest)
        on_progress(passed.position)
    if passed != to:
        raise ConfigError(
            f"the first {to.position:,} rows are not those with which the production of {campaign_id} was begun: "
            "give the same recipients, or another --id, or cancel it"
        )
    return passed


def _append_all(
    client: redis.Redis,
    campaign_id: CampaignId,
    token: str,
    campaign: Campaign,
    prepared: Iterator[Prepared],
    position: int,
    on_progress: Callable[[int], None],
) -> int:
    checks = checks_of(campaign)
    for read in chunks(prepared):
        chunk = without_suppressed(client, checks, read)
        written = append(
            client,
            campaign_id,
            token=token,
            position=position,
            new_position=chunk[-1].last_row,
            digest=chunk[-1].digest,
            invalid=sum(each.invalid for each in chunk),
            duplicate=sum(each.duplicate for each in chunk),
            suppressed=sum(each.suppressed for each in chunk),
            segments=sum(total_segments(each.bodies) for each in chunk) if campaign.has_segments else 0,
            stretches=[Stretch(messages=len(each.bodies), packed=pack(each.content)) for each in chunk],
        )
        if not written:
            raise _lost(campaign_id)
        position = chunk[-1].last_row
        on_progress(position)
    return position


def chunks(prepared: Iterable[Prepared]) -> Iterator[list[Prepared]]:
    """Give the stretches as they are looked up and written: `CHUNK` together, or as many as take `MAX_BYTES`."""
    chunk, size_bytes = list[Prepared](), 0
    for stretch in prepared:
        chunk.append(stretch)
        size_bytes += stretch.size_bytes
        if len(chunk) == CHUNK or size_bytes >= MAX_BYTES:
            yield chunk
            chunk, size_bytes = [], 0
    if chunk:
        yield chunk


def hours_around(campaign: Campaign, now: datetime) -> tuple[int, int]:
    """Return the sending hours that contain `now`, or the next ones, in microseconds; (0, 0) for one without hours."""
    if campaign.hours is None:
        return 0, 0
    interval = campaign.hours.next_interval(now)
    return _microseconds(interval.opens_at), _microseconds(interval.closes_at)


def _server_time(client: redis.Redis) -> datetime:
    with translated():
        seconds, microseconds = client.time()
    return _EPOCH + timedelta(seconds=seconds, microseconds=microseconds)


def _microseconds(at: datetime | None) -> int:
    return 0 if at is None else (at - _EPOCH) // timedelta(microseconds=1)


def checks_of(campaign: Campaign) -> Checks:
    """Return what is looked up of each number when the campaign is produced."""
    accounts = campaign.accounts
    return Checks(
        # Which of several will send is not known yet: the list of an account that does is looked up at that moment.
        account=accounts[0] if len(accounts) == 1 else "",
        sender=EVERY_SENDER if campaign.sender and fields_in(campaign.sender) else campaign.call_sender,
        is_promotional=campaign.sms_type == "promotional" or bool(fields_in(campaign.sms_type)),
        not_before_hours=campaign.not_before_hours or 0,
    )


def without_suppressed(client: redis.Redis, checks: Checks, chunk: list[Prepared]) -> list[Prepared]:
    """Look all numbers of at most `CHUNK` stretches up at once; who may not be messaged now is passed over.

    Nothing is changed in the ledger. Raises `LedgerError`.
    """
    found = find_suppressed(client, checks, [number for each in chunk for number in each.content.numbers])
    if not found:
        return chunk
    kept, first = [], 0
    for each in chunk:
        places = range(len(each.bodies))
        kept.append(each.without({place: why(found[first + place]) for place in places if first + place in found}))
        first += len(places)
    return kept


def _lost(campaign_id: CampaignId) -> ProductionLost:
    return ProductionLost(
        f"{campaign_id} was taken over by another producer, or cancelled: this one stopped and queued nothing more"
    )
