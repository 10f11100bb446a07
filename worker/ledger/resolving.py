"""Deciding by hand what became of messages that stayed unconfirmed: somebody has asked the gateway, or the people."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal, cast

import redis

from worker.domain.answers import Accepted, Rejected
from worker.domain.ids import CampaignId
from worker.ledger import keys
from worker.ledger.errors import LedgerUnavailable, translated
from worker.ledger.outcomes import pack_outcomes
from worker.ledger.record import fate_of_waiting
from worker.ledger.resending import resend_now, unconfirmed_positions
from worker.ledger.scripts import load
from worker.ledger.stored import Stored, stored_batches

Decision = Literal["accepted", "rejected", "resend"]

BY_HAND = "resolved by hand"
_TRIES = 5
_OVER = {"cancelled": "the campaign is cancelled", "expired": "the campaign's time is over (expires_at)"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Open:
    """A batch with messages that stayed unconfirmed."""

    batch: int
    messages: int


def is_over(client: redis.Redis, campaign_id: CampaignId) -> str:
    """Return in words why nothing of the campaign can be sent any more, "" where it can; raises `LedgerError`."""
    with translated():
        fields = cast(list[bytes | None], client.hmget(keys.campaign(campaign_id), ["state", "ended"]))
    state, ended = ((field or b"").decode() for field in fields)
    return _OVER.get(fate_of_waiting(state, ended), "")


def batches(client: redis.Redis, campaign_id: CampaignId) -> Sequence[int]:
    """Return the numbers of all batches of a campaign, in order; raises `LedgerError`."""
    with translated():
        fields = cast(list[bytes | None], client.hmget(keys.campaign(campaign_id), ["stretches", "made"]))
    return range(1, sum(int(each or 0) for each in fields) + 1)


def family(client: redis.Redis, campaign_id: CampaignId, batch: int) -> Sequence[int]:
    """Return a batch and those to which messages of it have moved, singly or together, in order; raises `LedgerError`.

    Those of the latter count as well: a message that went singly may have been sent again, in one more batch.
    """
    found = newest = {batch}
    while newest:
        with translated():
            pipeline = client.pipeline(transaction=False)
            for number in newest:
                pipeline.hget(keys.batch_state(campaign_id, number), "children")
            replies = pipeline.execute()
        newest = {int(child) for reply in replies for child in (reply or b"").split()} - found
        found = found | newest
    return sorted(found)


def unresolved(client: redis.Redis, campaign_id: CampaignId, among: Sequence[int] | None = None) -> Iterator[Open]:
    """Give the batches that have unconfirmed messages, in order: of the campaign, or of the numbers in `among`.

    Raises `LedgerError`.
    """
    wanted = batches(client, campaign_id) if among is None else among
    for stored in stored_batches(client, campaign_id, wanted):
        if messages := int(stored.state.get(b"unconfirmed", 0)):
            yield Open(batch=stored.number, messages=messages)


def resolve(
    client: redis.Redis, campaign_id: CampaignId, batch: int, decision: Decision, *, code: str = "", now: int = 0
) -> Counter[str]:
    """Settle a batch's unconfirmed messages as decided; return how many were resolved, dropped or came too early.

    Safe to repeat: what is not unconfirmed any more is left as it is. `code` is kept with accepted and rejected ones.
    Raises `LedgerError`.
    """
    for _ in range(_TRIES):
        (stored,) = stored_batches(client, campaign_id, [batch])
        count = int(stored.state.get(b"unconfirmed", 0))
        if not count:
            return Counter()
        word = resend_now(client, stored, now) if decision == "resend" else _settle(client, stored, decision, code, now)
        if word in {"resolved", "resent"}:
            return Counter(resolved=count)
        if word in {"dropped", "early"}:
            return Counter({word: count})
    raise LedgerUnavailable(f"batch {batch} of {campaign_id} changes faster than it can be resolved")


def _settle(client: redis.Redis, stored: Stored, decision: Literal["accepted", "rejected"], code: str, now: int) -> str:
    content = stored.content()
    count = len(content.numbers)
    decided = Accepted(gateway_id="", code=code) if decision == "accepted" else Rejected(code=code, reason=BY_HAND)
    places = frozenset(unconfirmed_positions(stored, content))
    told, settlement = stored.told(count), stored.settlement(count)
    outcomes = replace(
        settlement, messages=tuple(decided if place in places else outcome for place, outcome in told.items())
    )
    reply = load("resolve").call(
        client,
        [
            *(keys.campaign(stored.campaign), keys.batch_state(stored.campaign, stored.number)),
            *(keys.outcomes(stored.campaign, stored.number), keys.codes(stored.campaign)),
        ],
        [
            *(now, keys.PREFIX, stored.campaign, stored.number, stored.fingerprint),
            *(len(places), decision, pack_outcomes(outcomes), f"{code} {BY_HAND}".strip()),
        ],
    )
    return str(reply.decode())
