"""Production's side of the ledger: open it, append to it, close it. Fenced by the producer's token and position.

Invariant: of several producers with one id exactly one writes, and what it writes follows what is there.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, cast

import redis

from worker.domain.ids import CampaignId
from worker.domain.suppression import Checks
from worker.ledger import keys
from worker.ledger.errors import translated
from worker.ledger.scripts import load

Priority = Literal["high", "normal", "low"]

NO_CHECKS = Checks(account="", sender="", is_promotional=False)

PRIORITIES: dict[Priority, int] = {"high": 0, "normal": 1, "low": 2}


@dataclass(frozen=True, slots=True)
class New:
    """The campaign was not there; this producer has it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Continue:
    """An interrupted production, taken over: `position` rows with this `digest` are in the ledger."""

    position: int
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """Production has ended before; `state` is the campaign's now. Nothing was changed."""

    state: str


@dataclass(frozen=True, slots=True)
class Differs:
    """The id's production was begun with another campaign file. Nothing was changed."""


Opening = New | Continue | Whole | Differs


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """The next rows of the input as they are stored: `messages` of them go out as one batch (0: none)."""

    messages: int
    packed: bytes


def begin(
    client: redis.Redis,
    campaign_id: CampaignId,
    *,
    token: str,
    file_digest: str,
    doc: str,
    name: str,
    accounts: Sequence[str],
    on_unconfirmed: Literal["hold", "resend"] = "hold",
    priority: Priority = "normal",
    starts_at: int = 0,
    ends_at: int = 0,
    has_hours: bool = False,
    checks: Checks = NO_CHECKS,
    now: int = 0,
) -> Opening:
    """Open the production of a campaign or take it over; `doc` is the campaign file as JSON.

    Nothing goes before `starts_at`, or from `ends_at` on (microseconds since the epoch; 0: no such instant). `checks`
    are made again, on each account that sends, when a batch is taken.
    """
    reply = load("begin").call(
        client,
        [keys.campaign(campaign_id), keys.CAMPAIGNS],
        [
            *(now, campaign_id, token, file_digest, doc, name, " ".join(accounts)),
            *(int(on_unconfirmed == "resend"), PRIORITIES[priority], starts_at, ends_at, int(has_hours)),
            *(checks.sender, int(checks.is_promotional), checks.not_before_hours),
        ],
    )
    match reply:
        case [b"new"]:
            return New()
        case [b"continue", position, digest]:
            return Continue(position=int(position), digest=digest.decode())
        case [b"done", state]:
            return Whole(state=state.decode())
        case _:
            return Differs()


def look(client: redis.Redis, campaign_id: CampaignId, *, file_digest: str) -> New | Continue:
    """Return where the production of this id and file stands, taking nothing over; `New` where none waits for more."""
    with translated():
        found = client.hmget(keys.campaign(campaign_id), ["state", "file", "position", "digest"])
    state, file, position, digest = ((field or b"").decode() for field in cast(list[bytes | None], found))
    if state != "producing" or file != file_digest:
        return New()
    return Continue(position=int(position), digest=digest)


def append(
    client: redis.Redis,
    campaign_id: CampaignId,
    *,
    token: str,
    position: int,
    new_position: int,
    digest: str,
    invalid: int,
    duplicate: int,
    suppressed: int,
    stretches: Sequence[Stretch],
    segments: int = 0,
) -> bool:
    """Write the stretches that take the input from `position` to `new_position` rows; False: another has it.

    `segments` is what their messages are billed as together; 0 where they are not billed so.
    """
    parts = [part for stretch in stretches for part in (stretch.messages, stretch.packed)]
    reply = load("append").call(
        client,
        [keys.campaign(campaign_id), keys.queue(campaign_id)],
        [
            *(token, position, new_position, digest, invalid, duplicate, suppressed, segments),
            *(keys.packed(campaign_id, ""), *parts),
        ],
    )
    return bool(reply)


def start(
    client: redis.Redis,
    campaign_id: CampaignId,
    *,
    token: str,
    position: int,
    hold: str = "",
    hours: tuple[int, int] = (0, 0),
    now: int = 0,
) -> str:
    """Say that production is whole; return the campaign's state, or "" where another producer has it.

    `hold` is the reason with which the campaign starts paused; `hours` are its sending hours of now, or the next ones,
    as microseconds since the epoch.
    """
    reply = load("start").call(
        client, [keys.campaign(campaign_id)], [now, keys.PREFIX, campaign_id, token, position, hold, *hours]
    )
    return str(reply.decode())


def discard(client: redis.Redis, campaign_id: CampaignId, *, token: str) -> None:
    """Forget a campaign whose input is wrong; nothing happens where another producer has it or it has started."""
    load("discard").call(
        client,
        [keys.campaign(campaign_id), keys.queue(campaign_id), keys.CAMPAIGNS],
        [campaign_id, token, keys.packed(campaign_id, "")],
    )
