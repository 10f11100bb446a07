"""One batch as it lies in Redis, read at one instant: its messages, its state, its outcomes and what reports have told.

The record, the audit, resends, delivery reports and decisions by hand all start from here.
"""

import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import redis

from worker.domain.answers import MessageOutcome, Rejected, Unconfirmed
from worker.domain.content import BatchContent
from worker.domain.ids import CampaignId
from worker.ledger import keys
from worker.ledger.errors import LedgerBroken, translated
from worker.ledger.outcomes import Outcomes, unpack_outcomes
from worker.ledger.packing import PackingError
from worker.ledger.parts import open_batch, part_of, positions_on_wire

AT_ONCE = 50
"""Batches read in one round trip: about 5,000 rows, some 300 KB."""

COMMANDS = 6
"""Commands that `ask` gives a pipeline."""

NO_ANSWER = "no answer: the worker that sent it stopped before it could tell"

_FINGERPRINT = (b"state", b"attempt", b"expired", b"children", b"resolved")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """One batch; `packed` is `None` where it is missing, `state` without a state while it waits.

    `whole` is the batch of which it is a part, packed. `news`, `gateway_ids` and `suppressed` (why
    it did not go) are by position in the content. What goes with a resend may have gone before.
    """

    campaign: CampaignId
    number: int
    packed: bytes | None = field(repr=False)
    whole: bytes = field(default=b"", repr=False)
    state: Mapping[bytes, bytes]
    outcomes: bytes | None = field(repr=False)
    mask: str
    news: Mapping[int, str]
    gateway_ids: Mapping[int, str]
    suppressed: Mapping[int, str]
    is_resend: bool

    @property
    def kind(self) -> str:
        """Whether it is waiting, sending, settled or moved."""
        return self.state.get(b"state", b"waiting").decode()

    @property
    def children(self) -> list[int]:
        """The batches to which messages of it have moved."""
        return [int(number) for number in self.state.get(b"children", b"").split()]

    @property
    def fingerprint(self) -> str:
        """What changes when its outcomes do: a script is given it to be sure that it decides on what was read."""
        return "|".join(self.state.get(name, b"").decode() for name in _FINGERPRINT)

    def content(self) -> BatchContent:
        """Return its messages; raises `LedgerBroken` where they are missing or damaged."""
        if self.packed is None:
            raise LedgerBroken(f"batch {self.number} of {self.campaign} is not in Redis any more")
        try:
            return open_batch(self.packed, self.whole)
        except PackingError as error:
            raise LedgerBroken(f"batch {self.number} of {self.campaign}: {error}") from error

    def told(self, count: int) -> Mapping[int, MessageOutcome]:
        """Return by position the outcomes of a settled batch of `count` messages that went; raises `LedgerBroken`.

        A rejected one of a resend counts as unconfirmed where reports tell of it: its first call has brought it.
        """
        told = dict(zip(positions_on_wire(self.mask, count), self.settlement(count).messages, strict=True))
        if self.is_resend:
            told |= {
                place: Unconfirmed(code=outcome.code, reason=outcome.reason)
                for place, outcome in told.items()
                if isinstance(outcome, Rejected) and place in self.news
            }
        return told

    def settlement(self, count: int) -> Outcomes:
        """Return the outcomes of a settled batch as they are stored; all unconfirmed where the sweep settled it."""
        if self.state.get(b"expired") == b"1":
            went = len(positions_on_wire(self.mask, count))
            sent_at = float(self.state[b"slot"]) / 1e6
            return Outcomes(sent_at=sent_at, messages=(Unconfirmed(reason=NO_ANSWER),) * went)
        try:
            return unpack_outcomes(self.outcomes or b"")
        except (zlib.error, ValueError, TypeError, KeyError) as error:
            raise LedgerBroken(f"the outcomes of batch {self.number} of {self.campaign} can not be read") from error


def ask(pipeline: Any, campaign_id: CampaignId, number: int) -> None:  # noqa: ANN401 - a pipeline of either client
    """Queue the commands whose replies `read` reads."""
    # The state before the outcomes: they are written by one script, so whoever sees it sees them.
    pipeline.get(keys.packed(campaign_id, number))
    pipeline.hgetall(keys.batch_state(campaign_id, number))
    pipeline.get(keys.outcomes(campaign_id, number))
    pipeline.get(keys.mask(campaign_id, number))
    pipeline.hgetall(keys.news(campaign_id, number))
    pipeline.sismember(keys.resent(campaign_id), number)


def read(campaign_id: CampaignId, number: int, replies: Sequence[Any]) -> Stored:
    """Return the batch of these replies; a part still lacks its `whole`."""
    packed, state, outcomes, mask, told, is_resend = replies
    return Stored(
        campaign=campaign_id,
        number=number,
        packed=packed,
        state=state,
        outcomes=outcomes,
        mask=(mask or b"").decode(),
        news={int(place): line.decode() for place, line in told.items() if place.isdigit()},
        gateway_ids={int(place[1:]): name.decode() for place, name in told.items() if place.startswith(b"i")},
        suppressed={int(place[1:]): code.decode() for place, code in told.items() if place.startswith(b"s")},
        is_resend=bool(is_resend),
    )


def stored_batches(client: redis.Redis, campaign_id: CampaignId, wanted: Sequence[int]) -> Iterator[Stored]:
    """Give the batches of these numbers, in order; raises `LedgerError`."""
    for first in range(0, len(wanted), AT_ONCE):
        numbers = wanted[first : first + AT_ONCE]
        with translated():
            pipeline = client.pipeline(transaction=False)
            for number in numbers:
                ask(pipeline, campaign_id, number)
            replies = pipeline.execute()
        chunk = [
            read(campaign_id, number, replies[COMMANDS * i : COMMANDS * (i + 1)]) for i, number in enumerate(numbers)
        ]
        yield from _completed(client, campaign_id, chunk)


def _completed(client: redis.Redis, campaign_id: CampaignId, chunk: list[Stored]) -> list[Stored]:
    """Give parts what they are a part of."""
    parts = {each.number: part for each in chunk if each.packed and (part := part_of(each.packed))}
    if not parts:
        return chunk
    parents = sorted({part.batch for part in parts.values()})
    with translated():
        pipeline = client.pipeline(transaction=False)
        for parent in parents:
            pipeline.get(keys.packed(campaign_id, parent))
        wholes = dict(zip(parents, pipeline.execute(), strict=True))
    return [
        replace(each, whole=wholes[parts[each.number].batch] or b"") if each.number in parts else each for each in chunk
    ]
