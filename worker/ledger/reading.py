"""What the ledger tells people: where a campaign stands, in constant time, and the lanes."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, cast

import redis

from worker.domain.ids import AccountName, CampaignId
from worker.ledger import keys
from worker.ledger.errors import translated
from worker.ledger.seats import Ceiling

_EPOCH = datetime.fromtimestamp(0, UTC)

COUNTERS = (
    *("rows", "invalid", "duplicate", "suppressed", "queued"),
    *("pending", "in_flight", "accepted", "rejected", "unconfirmed", "expired", "cancelled"),
    *("delivered", "undelivered", "calls", "throttled", "batches", "segments"),
)

ENDED = frozenset({"finished", "cancelled"})
"""States in which nothing of a campaign will be sent any more by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One campaign at one moment; the counters satisfy the law of the README.

    `segments`: what all messages that production queued take together, whatever becomes of them; 0 for a campaign that
    is not billed by segments. `unmatched`: delivery reports kept that name no message of it, at most a thousand.
    """

    id: CampaignId
    name: str
    state: str
    reason: str | None
    rows: int
    invalid: int
    duplicate: int
    suppressed: int
    queued: int
    pending: int
    in_flight: int
    accepted: int
    rejected: int
    unconfirmed: int
    expired: int
    cancelled: int
    delivered: int
    undelivered: int
    awaiting: int
    calls: int
    throttled: int
    batches: int
    segments: int
    unmatched: int
    codes: Mapping[str, int]
    accounts: tuple[AccountName, ...]

    def as_json(self) -> dict[str, Any]:
        """Return the object that `status --json` prints."""
        document = {name: getattr(self, name) for name in self.__slots__}
        return document | {"codes": dict(self.codes), "accounts": list(self.accounts)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """An account's lane at one moment.

    `probe_at`: when one batch is tried, where what holds it may pass by itself. `in_flight`: messages of batches that
    are sending. `speed`: the share of the ceiling allowed now, 0 to 1. `ceilings`: what the accounts files of live
    workers allow, each once; where there are several the lowest of each kind holds.
    """

    account: AccountName
    held: str
    probe_at: datetime | None
    paused_until: datetime | None
    pause_reason: str
    problems: tuple[str, ...]
    in_flight: int
    speed: float
    call_us: float
    live_workers: int
    ceilings: frozenset[Ceiling]

    @property
    def hold(self) -> str:
        """Why it is held, and when it is tried again; "" where it is open."""
        again = f"; tried again at {self.probe_at:%H:%M} UTC" if self.probe_at else ""
        return self.held and f"{self.held}{again}"

    @property
    def words(self) -> str:
        """Why nothing goes through this lane now, or ""."""
        if self.held:
            return f"account {self.account} is held: {self.hold}"
        if self.paused_until:
            until = self.paused_until.isoformat(timespec="seconds")
            return f"account {self.account} pauses until {until}: {self.pause_reason}"
        if self.problems:
            prefix = f"account {self.account}: "
            return prefix + self.problems[0].removeprefix(prefix)
        return ""


def exists(client: redis.Redis, campaign_id: CampaignId) -> bool:
    """Return whether the ledger has a campaign of this id."""
    with translated():
        return bool(client.exists(keys.campaign(campaign_id)))


def document(client: redis.Redis, campaign_id: CampaignId) -> bytes:
    """Return the campaign file as production stored it, b"" where the ledger has no such campaign."""
    with translated():
        return cast(bytes | None, client.hget(keys.campaign(campaign_id), "doc")) or b""


def accounts_of(client: redis.Redis, campaign_id: CampaignId) -> frozenset[AccountName]:
    """Return the accounts that a campaign may use, none where the ledger has no such campaign."""
    with translated():
        found = cast(bytes | None, client.hget(keys.campaign(campaign_id), "accounts")) or b""
    return frozenset(AccountName(name) for name in found.decode().split())


def newest_first(client: redis.Redis) -> list[CampaignId]:
    """Return every campaign's id, the newest campaign's first."""
    with translated():
        return [CampaignId(name.decode()) for name in cast(list[bytes], client.zrevrange(keys.CAMPAIGNS, 0, -1))]


def standings(client: redis.Redis, campaign_ids: list[CampaignId]) -> list[Standing]:
    """Return where the campaigns stand; ids that the ledger lacks are left out. One round trip, constant time each."""
    with translated():
        pipeline = client.pipeline(transaction=False)
        for campaign_id in campaign_ids:
            pipeline.hgetall(keys.campaign(campaign_id))
            pipeline.hgetall(keys.codes(campaign_id))
            pipeline.zcard(keys.unmatched(campaign_id))
        pipeline.time()
        *replies, (seconds, microseconds) = pipeline.execute()
    now = seconds * 1_000_000 + microseconds
    found = [
        _Found(campaign_id, _text(fields), _text(refusals), unmatched)
        for campaign_id, fields, refusals, unmatched in zip(
            campaign_ids, *(replies[i::3] for i in range(3)), strict=True
        )
        if fields
    ]
    names = {name for each in found for name in each.fields["accounts"].split()}
    seen = lanes(client, sorted(AccountName(name) for name in names)) if found else {}
    return [_standing(each, seen, now) for each in found]


class _Found(NamedTuple):
    id: CampaignId
    fields: dict[str, str]
    refusals: dict[str, str]
    unmatched: int


def _standing(found: _Found, seen: Mapping[AccountName, Lane], now: int) -> Standing:
    fields = found.fields
    counts = {name: int(fields[name]) for name in COUNTERS}
    accounts = tuple(AccountName(name) for name in fields["accounts"].split())
    return Standing(
        id=found.id,
        name=fields["name"],
        state=fields["state"],
        reason=_reason(fields, [seen[account] for account in accounts], now) or None,
        awaiting=counts["accepted"] - counts["delivered"] - counts["undelivered"],
        unmatched=found.unmatched,
        codes={code: int(count) for code, count in sorted(found.refusals.items()) if int(count)},
        accounts=accounts,
        **counts,
    )


def _reason(fields: dict[str, str], lanes_of_it: list[Lane], now: int) -> str:
    """Return why the campaign does not send now, or ""."""
    if fields["state"] == "scheduled":
        return f"starts at {_when(fields['starts_at'])}"
    if fields["state"] != "running":
        return fields["reason"]
    if fields["hours"] == "1" and not float(fields["opens"]) <= now < float(fields["closes"]):
        later = now < float(fields["opens"])
        return "outside its hours" + (f": goes on at {_when(fields['opens'])}" if later else "")
    words = [lane.words for lane in lanes_of_it if lane.words]
    if not words and all(lane.live_workers == 0 for lane in lanes_of_it):
        words = ["no worker is running: start one with 'bulksend worker'"]
    elif not words and int(fields["resends"]) and not int(fields["pending"]) + int(fields["in_flight"]):
        words = ["what stayed unconfirmed waits to be sent once more"]
    return "; ".join(words)


def _when(microseconds: str) -> str:
    try:
        at = _EPOCH + timedelta(microseconds=float(microseconds))
    except OverflowError:  # one campaign's odd instant must not hide the others
        return "an instant that no calendar has"
    return at.isoformat(timespec="seconds")


def lanes(client: redis.Redis, accounts: list[AccountName]) -> dict[AccountName, Lane]:
    """Return the lanes of these accounts, also of those that the ledger has never seen."""
    with translated():
        seconds, microseconds = client.time()
        now = seconds * 1_000_000 + microseconds
        pipeline = client.pipeline(transaction=False)
        for account in accounts:
            pipeline.hgetall(keys.lane(account))
            pipeline.hgetall(keys.problems(account))
            pipeline.hvals(keys.lane_attempts(account))
            pipeline.hgetall(keys.ceilings(account))
        pipeline.zrangebyscore(keys.WORKERS, now, "+inf")
        *replies, live = pipeline.execute()
    workers = frozenset(owner.decode() for owner in live)
    return {account: _lane(account, replies[4 * i : 4 * i + 4], workers, now) for i, account in enumerate(accounts)}


def _lane(account: AccountName, replies: list[Any], workers: frozenset[str], now: int) -> Lane:
    fields, problems = _text(replies[0]), _text(replies[1])
    probe_at = int(float(fields.get("probe_at", 0))) if fields.get("state") == "held" else 0
    sizes = [int(attempt.split()[3]) for attempt in replies[2]]
    paused_until = int(float(fields.get("paused_until", 0)))
    return Lane(
        account=account,
        held=fields.get("reason", "") if fields.get("state") == "held" else "",
        probe_at=datetime.fromtimestamp(probe_at / 1e6, UTC) if probe_at else None,
        paused_until=datetime.fromtimestamp(paused_until / 1e6, UTC) if paused_until > now else None,
        pause_reason=fields.get("pause_reason", ""),
        problems=tuple(sorted({problem for owner, problem in problems.items() if owner in workers})),
        in_flight=sum(sizes),
        speed=_speed(fields, now),
        call_us=float(fields.get("call_us", 0)),
        live_workers=len(workers),
        ceilings=frozenset(Ceiling.read(line) for owner, line in _text(replies[3]).items() if owner in workers),
    )


def _speed(fields: dict[str, str], now: int) -> float:
    """Return the share of the ceiling allowed now: `speed` of lane.lua, for people to see."""
    factor, refused = float(fields.get("factor", 1)), float(fields.get("refused", 1))
    if factor >= 1:
        return 1.0
    tens = max(0.0, (now - float(fields.get("slow_at", 0))) / 1e7)
    knee = max(factor, 0.95 * refused)
    return factor + (knee - factor) * tens if tens < 1 else min(1.0, knee + 0.01 * (tens - 1))


def _text(fields: Mapping[bytes, bytes]) -> dict[str, str]:
    return {name.decode(): value.decode() for name, value in fields.items()}
