"""What delivery reports tell, written to the messages that they are about, in bulk.

A report names its batch (by the token of the URL that it came to, or by the reference that the gateway repeats) and in
it one message, by the gateway's id or by the number. Invariant: reports may come before our own settlement, late,
twice and out of order, and the end is the same; each is counted once. One that names an id that is not known yet is
unmatched, and looked at again when ids of its batch become known.
"""

import random
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import redis

from worker.domain.delivery import DeliveryReport, Feedback, write_news
from worker.domain.ids import CampaignId
from worker.ledger import keys
from worker.ledger.errors import LedgerBroken, LedgerUnavailable
from worker.ledger.matching import Match, MessageIndex, child_of
from worker.ledger.scripts import load
from worker.ledger.stored import Stored, stored_batches
from worker.ledger.unmatched import forget_early, forget_unmatched, keep_early, keep_unmatched

MISCONFIGURED_LIMIT = 20
"""So many of a campaign's last 100 reports that blame its configuration pause it."""

_TRIES = 20
_UNWELCOME = frozenset({Feedback.OPTED_OUT, Feedback.REFUSES_PROMOTION})
_FED_BACK = {Feedback.THROTTLED: "throttled", Feedback.MISCONFIGURED: "misconfigured"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Addressed:
    """A report and the batch that it is about; an early one was kept with the batch until it matches."""

    campaign: CampaignId
    batch: int
    report: DeliveryReport
    is_early: bool = False


@dataclass(slots=True, kw_only=True)
class Received:
    """What a lot of reports came to: how many told something or were known, and how many matched no message.

    `unwelcome` are the numbers (E.164 digits) whose owners refuse messages, with what they refuse.
    """

    matched: int = 0
    unmatched: int = 0
    unwelcome: list[tuple[int, Feedback]] = field(default_factory=list, repr=False)


def receive(client: redis.Redis, addressed: Iterable[Addressed], *, remember_hours: int = 0, now: int = 0) -> Received:
    """Write what the reports tell; raises `LedgerUnavailable`, and then all may be given again.

    `remember_hours`: for how long it is remembered who was messaged, for the caps of campaigns; 0: it is not.
    """
    campaigns: dict[CampaignId, dict[int, list[DeliveryReport]]] = defaultdict(lambda: defaultdict(list))
    looked_at: dict[CampaignId, dict[int, list[DeliveryReport]]] = defaultdict(lambda: defaultdict(list))
    for each in addressed:
        campaigns[each.campaign][each.batch].append(each.report)
        if each.is_early:
            looked_at[each.campaign][each.batch].append(each.report)
    received = Received()
    for campaign_id, batches in campaigns.items():
        lot = _Lot(client=client, campaign=campaign_id, remember_hours=remember_hours, now=now, received=received)
        lot.receive(batches)
        forget_unmatched(client, campaign_id, lot.matched)
        keep_unmatched(client, campaign_id, lot.unmatched)
        for batch, reports in looked_at[campaign_id].items():
            forget_early(client, campaign_id, batch, set(reports).intersection(lot.matched))
        for batch, reports in lot.early.items():
            keep_early(client, campaign_id, batch, reports)
        received.matched += len(lot.matched)
        received.unmatched += len(lot.unmatched)
    return received


@dataclass(slots=True, kw_only=True)
class _Lot:
    """The reports about one campaign, on their way into its batches.

    `again` are those of messages that stand in another batch, and of batches that changed while they were looked at;
    `changed` counts the latter batches. `early` are those of the unmatched ones that may match when ids become known.
    """

    client: redis.Redis
    campaign: CampaignId
    remember_hours: int
    now: int
    received: Received
    again: dict[int, list[DeliveryReport]] = field(default_factory=lambda: defaultdict(list))
    matched: list[DeliveryReport] = field(default_factory=list)
    unmatched: list[DeliveryReport] = field(default_factory=list)
    early: dict[int, list[DeliveryReport]] = field(default_factory=lambda: defaultdict(list))
    changed: int = 0

    def receive(self, batches: dict[int, list[DeliveryReport]]) -> None:
        tries = _TRIES
        while batches:
            if not tries:
                raise LedgerUnavailable(
                    f"batches of {self.campaign} change faster than reports about them can be written"
                )
            self.changed = 0
            for stored in list(stored_batches(self.client, self.campaign, sorted(batches))):
                self._receive_batch(stored, batches[stored.number])
            # A message that moved often takes as many rounds, and comes to an end: newer batches have greater numbers.
            tries -= self.changed > 0
            batches, self.again = self.again, defaultdict(list)

    def _receive_batch(self, stored: Stored, reports: Sequence[DeliveryReport]) -> None:
        try:
            index = MessageIndex(stored)
        except LedgerBroken:
            self.unmatched += reports
            return
        told = [each for report in reports if (each := self._placed(stored, index, report)) is not None]
        fixed = _tell(self.client, stored, told, self.remember_hours, self.now) if told else frozenset[int]()
        if fixed is None:
            self.changed += 1
            self.again[stored.number] += [each.report for each in told]
            return
        for each in told:
            if each.position in fixed:
                self.unmatched.append(each.report)
                continue
            self.matched.append(each.report)
            if each.report.feedback in _UNWELCOME:
                self.received.unwelcome.append((each.number, each.report.feedback))

    def _placed(self, stored: Stored, index: MessageIndex, report: DeliveryReport) -> Match | None:
        match index.find(report):
            case Match() as found:
                return found
            case "moved" | "unknown" if (child := child_of(self.client, stored, report)) is not None:
                self.again[child].append(report)
            case word:
                self.unmatched.append(report)
                if word == "unknown":
                    self.early[stored.number].append(report)
        return None


def _tell(
    client: redis.Redis, stored: Stored, told: Sequence[Match], remember_hours: int, now: int
) -> frozenset[int] | None:
    """Run the script; return the positions that reports can not change, or `None` where the batch has changed."""
    campaign_id, batch = stored.campaign, stored.number
    parts = [
        part
        for each in told
        for part in (
            *(each.position, each.outcome, write_news(each.report), each.gateway_id, each.refusal),
            _FED_BACK.get(each.report.feedback, "nothing"),
        )
    ]
    reply = load("receive").call(
        client,
        [
            *(keys.campaign(campaign_id), keys.batch_state(campaign_id, batch), keys.news(campaign_id, batch)),
            *(keys.mask(campaign_id, batch), keys.queue(campaign_id)),
        ],
        [
            *(now, keys.PREFIX, campaign_id, batch, stored.fingerprint),
            *(random.random(), MISCONFIGURED_LIMIT, remember_hours),
            *parts,
        ],
    )
    return None if reply[0] == b"changed" else frozenset(int(position) for position in reply[1:])
