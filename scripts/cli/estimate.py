"""What a dry run says of accounts: how many calls they need, when they would be through, and what it costs.

The accounts file gives ceilings and prices; the ledger, where there is one, how busy the accounts are and how fast they
may go now. Of campaigns that share a lane, one of higher priority goes first, and those of equal priority take turns.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from config.account_models import Account
from worker.domain.forecast import Pace
from worker.domain.ids import AccountName, CampaignId
from worker.domain.throttle import MICROSECONDS, spacing_us
from worker.gateways.registry import batch_limit
from worker.intake.campaign import Campaign
from worker.ledger.production import PRIORITIES
from worker.ledger.queues import Waiting
from worker.ledger.reading import Lane

Calls = Mapping[int, int]
"""How many calls there are of each number of messages."""

_WHOLE_BATCH = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Busy:
    """What the ledger says of the accounts; nothing where it was not asked."""

    lanes: Mapping[AccountName, Lane]
    waiting: tuple[Waiting, ...]


IDLE = Busy(lanes={}, waiting=())


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What segments cost, by the cheapest and by the dearest account of a pool, in the operator's own currency."""

    segments: int
    least: Decimal
    most: Decimal

    def __str__(self) -> str:
        prices = sorted({self.least, self.most})
        sums = " to ".join(f"{self.segments * price:,.2f}" for price in prices)
        return f"{sums} (price_per_segment = {' to '.join(map(str, prices))})"

    @property
    def highest(self) -> float:
        """The sum if the dearest account sent everything."""
        return float(self.segments * self.most)


def cost_of(segments: int, accounts: Sequence[Account]) -> Cost | None:
    """Return what so many segments cost; `None` where an account's price is not known."""
    prices = [Decimal(str(each.price_per_segment)) for each in accounts if each.price_per_segment is not None]
    if not prices or len(prices) < len(accounts):
        return None
    return Cost(segments=segments, least=min(prices), most=max(prices))


def calls_for(batches: Mapping[int, int], accounts: Sequence[Account]) -> Calls:
    """Return the calls for batches, given by their size: one a message where the gateway can not take a batch at once.

    A pool is of one kind of gateway. Without an account it is thought to take whole batches.
    """
    limit = batch_limit(accounts[0].gateway) if accounts else _WHOLE_BATCH
    calls = Counter[int]()
    for size, count in batches.items():
        calls[size if size <= limit else 1] += count if size <= limit else count * size
    return calls


def seconds_a_call(account: Account, calls: Calls, jitter_s: float) -> float:
    """Return the mean seconds from one of these calls to the next, by both of the account's ceilings."""
    call_s, message_s = (
        spacing_us(rate.per_second, rate.window_s, jitter_s) / MICROSECONDS if rate else 0.0
        for rate in (account.requests, account.messages)
    )
    taken_s = sum(count * max(call_s, size * message_s) for size, count in calls.items())
    return taken_s / max(sum(calls.values()), 1) or call_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """A campaign that would be sent, as its calls. `jitter_s` is the deployment's, which widens slots."""

    campaign: Campaign
    campaign_id: CampaignId | None
    calls: Calls
    jitter_s: float

    def paces(self, accounts: Sequence[Account], busy: Busy, now: datetime) -> list[Pace]:
        """Return how each account would get on with it, but for those that are held."""
        return [pace for account in accounts for pace in self._pace(account, busy, now)]

    def _pace(self, account: Account, busy: Busy, now: datetime) -> Iterator[Pace]:
        lane, share, begins_at = busy.lanes.get(AccountName(account.name)), 1.0, now
        if lane is not None:
            if lane.held:
                return
            share, begins_at = lane.speed, max(now, lane.paused_until or now)
        before_s = sum(self._before_s(account, waiting) for waiting in busy.waiting)
        yield Pace(
            free_at=begins_at + timedelta(seconds=before_s / share),
            call_s=seconds_a_call(account, self.calls, self.jitter_s) / share,
        )

    def _before_s(self, account: Account, waiting: Waiting) -> float:
        """Return how long the account sends of another campaign before the last of this one goes, at full speed."""
        if account.name not in waiting.accounts or waiting.campaign == self.campaign_id:
            return 0.0
        size = max(1, round(waiting.messages / max(waiting.batches, 1)))
        calls = calls_for({size: waiting.batches}, [account])
        theirs = sum(calls.values()) / len(waiting.accounts)
        ours = sum(self.calls.values()) / len(self.campaign.accounts)
        rank, own_rank = PRIORITIES[waiting.priority], PRIORITIES[self.campaign.priority]
        first = theirs if rank < own_rank else min(theirs, ours) if rank == own_rank else 0.0
        return first * seconds_a_call(account, calls, self.jitter_s)
