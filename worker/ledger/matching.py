"""Which message of a batch a delivery report is about: by the gateway's id, or by the number.

Invariant: a report finds one message or none, never one of several that it could mean.
"""

from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import chain

import redis

from worker.domain.answers import Accepted, Rejected
from worker.domain.delivery import DeliveryReport
from worker.domain.identity import same_number
from worker.ledger.errors import LedgerBroken
from worker.ledger.stored import Stored, stored_batches

_TEN_DIGITS = 10_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """A report and the message that it is about: `outcome` is a, u, r (rejected, of a resend), or w for any other.

    `gateway_id` is "" where the message's outcome has one already; `refusal` is code and words of a rejected one.
    """

    position: int
    number: int = field(repr=False)
    outcome: str
    gateway_id: str
    refusal: str
    report: DeliveryReport


class MessageIndex:
    """The messages of one batch, to be found by a gateway's id or by number."""

    def __init__(self, stored: Stored) -> None:
        """Read the batch; raises `LedgerBroken`."""
        self._stored = stored
        self._numbers = stored.content().numbers
        self._outcomes = stored.told(len(self._numbers)) if stored.kind == "settled" else {}
        answered = {place: o.gateway_id for place, o in self._outcomes.items() if isinstance(o, Accepted)}
        self._by_id: dict[str, set[int]] = defaultdict(set)
        for place, gateway_id in chain(answered.items(), stored.gateway_ids.items()):
            if gateway_id:
                self._by_id[gateway_id].add(place)
        self._by_tail: dict[int, list[int]] = defaultdict(list)
        for place, number in enumerate(self._numbers):
            self._by_tail[number % _TEN_DIGITS].append(place)

    def find(self, report: DeliveryReport) -> Match | str:
        """Return where the report belongs, "moved" where its message stands in another batch now, or "nowhere".

        "unknown" is a report of an id that a message here may still get.
        """
        place = self.place_of(report)
        if place is None and not report.to and len(self._numbers) == 1:
            place = 0  # the batch is this one message
        if place is None:
            is_new = report.gateway_id not in ("", *self._by_id)
            return "unknown" if is_new and self._lacks_ids() else "nowhere"
        outcome = self._outcome(place)
        if outcome in ("moved", "nowhere"):
            return outcome
        match self._outcomes.get(place):
            case Accepted(gateway_id=known) if known:
                gateway_id, refusal = "", ""
            case Rejected() as rejected:
                gateway_id, refusal = report.gateway_id, rejected.label
            case _:
                gateway_id, refusal = report.gateway_id, ""
        return Match(
            position=place,
            number=self._numbers[place],
            outcome=outcome,
            gateway_id=gateway_id,
            refusal=refusal,
            report=report,
        )

    def place_of(self, report: DeliveryReport) -> int | None:
        """Return the position of the message that the report names, by its id or by its number."""
        named = self._by_id.get(report.gateway_id, set())
        return next(iter(named)) if len(named) == 1 else self._by_number(report.to)

    def _lacks_ids(self) -> bool:
        if self._stored.kind != "settled":
            return True
        nameless = self._outcomes.keys() - set().union(*self._by_id.values())
        return any(not isinstance(self._outcomes[place], Rejected) for place in nameless)

    def _by_number(self, echo: str) -> int | None:
        digits = "".join(filter(str.isdecimal, echo))
        if not digits.isascii() or not digits:
            return None
        likely = self._by_tail.get(int(digits[-10:]), [])
        found = [place for place in likely if same_number(echo, self._numbers[place])]
        return found[0] if len(found) == 1 else None

    def _outcome(self, place: int) -> str:
        """Return a, u, r or w as the script wants it."""
        stored = self._stored
        mark = stored.mask[place : place + 1] or "."
        if mark in ("r", "s"):
            return "w"
        if mark == "p" or stored.kind == "moved":
            return "moved"
        if stored.kind != "settled":
            return "w"
        match self._outcomes.get(place):
            case Accepted():
                return "a"
            case Rejected() | None:
                return "r" if stored.is_resend else "nowhere"  # its first call may have brought it
            case _:
                # Unconfirmed ones move all together.
                return "u" if int(stored.state.get(b"unconfirmed", 0)) or place in stored.news else "moved"


def child_of(client: redis.Redis, stored: Stored, report: DeliveryReport) -> int | None:
    """Return the batch to which the report's message has moved."""
    for child in stored_batches(client, stored.campaign, stored.children):
        # Damaged bytes must not keep all other reports waiting.
        with suppress(LedgerBroken):
            index = MessageIndex(child)
            if index.place_of(report) is not None and index.find(report) != "nowhere":
                return child.number
    return None
