"""Applying what gateways reported: from the stream to the messages that the reports are about.

A report leaves the stream after it is written; one that is read twice changes nothing more. An account's URL is good
for the campaigns that may use the account, and for no other. What opted-out people and the registry of DND say goes on
the suppression lists.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, partial

import redis
import structlog

from config.account_models import Account
from worker.domain.delivery import DeliveryReport
from worker.domain.ids import AccountName, CampaignId
from worker.domain.suppression import FED_BY
from worker.gateways.reports import Understood, Unreadable, read_reports, understand
from worker.ledger.errors import LedgerUnavailable
from worker.ledger.inbox import Posted, Raw, done, keep_unreadable
from worker.ledger.inbox import read_reports as read_stream
from worker.ledger.reading import accounts_of
from worker.ledger.receiving import Addressed, Received, receive
from worker.ledger.suppression import suppress
from worker.ledger.unmatched import early_reports

log = structlog.stdlib.get_logger("bulksend.worker")

AT_ONCE = 500
"""Bodies applied together: those about one batch cost one script."""


@dataclass(slots=True, kw_only=True)
class Applied:
    """What was applied: bodies read, reports that told something or were known, and those that matched nothing."""

    bodies: int = 0
    matched: int = 0
    unmatched: int = 0
    unreadable: int = 0


def apply_waiting(
    client: redis.Redis, accounts: Mapping[str, Account], consumer: str, *, remember_hours: int
) -> Applied:
    """Apply what is in the stream until nothing is left, or Redis is away: then the rest stays in it for the next bell.

    `remember_hours`: the setting. Raises `LedgerBroken`, and then too the rest stays in it.
    """
    applied = Applied()
    try:
        while raws := read_stream(client, consumer, AT_ONCE):
            _apply(client, accounts, raws, applied, remember_hours=remember_hours)
    except LedgerUnavailable as error:
        log.warning("ledger.away", why=str(error))
    return applied


def _apply(
    client: redis.Redis, accounts: Mapping[str, Account], raws: Sequence[Raw], applied: Applied, *, remember_hours: int
) -> None:
    users = cache(partial(accounts_of, client))
    found = [
        _to_whom(each, posted, users)
        # The same once more tells nothing more: so often may a batch's early reports be asked for.
        for posted in dict.fromkeys(raw.posted for raw in raws)
        for each in _reports(client, accounts, posted, applied)
    ]
    received = write(client, found, remember_hours=remember_hours)
    done(client, [raw.id for raw in raws])
    applied.bodies += len(raws)
    applied.matched += received.matched
    applied.unmatched += received.unmatched


def write(client: redis.Redis, addressed: Sequence[Addressed], *, remember_hours: int) -> Received:
    """Write the reports to their messages, and put whoever refuses messages on a list; raises `LedgerError`."""
    received = receive(client, addressed, remember_hours=remember_hours)
    for feedback, (of, reason) in FED_BY.items():
        numbers = [number for number, said in received.unwelcome if said is feedback]
        if numbers:
            suppress(client, of, numbers, reason)
            log.info("suppression.fed", list=str(of.scope), reason=str(reason), numbers=len(numbers))
    return received


def _reports(
    client: redis.Redis, accounts: Mapping[str, Account], posted: Posted, applied: Applied
) -> tuple[DeliveryReport, ...]:
    if not posted.body:  # nothing was posted: ids of the batch have become known
        return tuple(early_reports(client, posted.campaign, posted.batch))
    account = accounts.get(posted.account)
    # Of an account that is in the file no more, the gateway is told by its words.
    found = understand(posted.body) if account is None else read_reports(account.gateway, posted.body)
    if isinstance(found, Unreadable):
        keep_unreadable(client, posted, datetime.now(UTC))
        applied.unreadable += 1
        return ()
    return found.reports if isinstance(found, Understood) else found


def _to_whom(
    report: DeliveryReport, posted: Posted, users: Callable[[CampaignId], frozenset[AccountName]]
) -> Addressed:
    """Return the report with its batch: the URL's own goes before what the report says; an account's URL names none."""
    if posted.campaign:
        is_early = not posted.body
        return Addressed(campaign=posted.campaign, batch=posted.batch, report=report, is_early=is_early)
    said = addressed(report)
    # What an account's URL is told of another's campaign is about nothing that we know.
    return said if posted.account in users(said.campaign) else _about_none(report)


def addressed(report: DeliveryReport) -> Addressed:
    """Return the report with the batch that its reference names; without one it is about none."""
    campaign, _, batch = report.reference.rpartition(":")
    if not (campaign and batch.isascii() and batch.isdigit()):
        return _about_none(report)
    return Addressed(campaign=CampaignId(campaign), batch=int(batch[:9]), report=report)


def _about_none(report: DeliveryReport) -> Addressed:
    return Addressed(campaign=CampaignId(""), batch=0, report=report)
