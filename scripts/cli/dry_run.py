"""enqueue --dry-run: everything is read and judged as production would, and nothing is queued.

It needs no Redis. Where there is one it asks who is suppressed and how busy the accounts are, and changes nothing.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from math import ceil
from pathlib import Path
from typing import Any, assert_never

import redis

from config.account_models import Account
from config.accounts import load_accounts
from config.settings import Settings, load_settings
from scripts.cli.dry_words import Found, lines
from scripts.cli.estimate import IDLE, Busy, Load, calls_for, cost_of
from scripts.cli.ledger import open_ledger
from scripts.cli.output import emit
from scripts.cli.progress import new_progress
from scripts.cli.recipients import Source, recipients_of
from scripts.cli.tally import KINDS, Tally, first_row_objects, sample_objects
from scripts.cli.words import tell
from tasks.produce import check_accounts, check_limits, checks_for
from worker.domain.billing import segment_counter, uncounted
from worker.domain.forecast import Beyond, RunsOut, Span, Through, forecast
from worker.domain.ids import AccountName, CampaignId
from worker.domain.suppression import Checks
from worker.intake.batches import GatewayChecks, prepare, with_dlt
from worker.intake.campaign import Campaign
from worker.intake.stretch import Prepared
from worker.ledger.errors import LedgerUnavailable
from worker.ledger.queues import waiting_in
from worker.ledger.reading import COUNTERS, lanes
from worker.producer import check_end, checks_of, chunks, without_suppressed

LookUp = Callable[[Iterator[Prepared]], Iterator[Prepared]]
"""Gives the stretches with whoever is suppressed passed over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Site:
    """What a dry run knows beside the campaign: its accounts, and what the ledger says."""

    accounts: list[Account]
    busy: Busy
    look_up: LookUp


def dry_run(
    campaign: Campaign,
    campaign_id: CampaignId | None,
    recipients: Source,
    *,
    data: Path | None = None,
    as_json: bool,
) -> None:
    """Print what enqueue would queue: counts, first rows, samples, segments, cost, calls, and when it would be through.

    Raises `ConfigError` as enqueue does, and `LedgerError` where Redis goes away meanwhile.
    """
    settings = load_settings()
    check_limits(campaign, settings)
    check_end(campaign, datetime.now(UTC))
    accounts = _accounts(campaign, settings)
    with _site(campaign, accounts, settings, data) as site:
        tally = _read(campaign, recipients, checks_for(campaign, settings), site.look_up)
    found = _estimate(campaign, campaign_id, tally, site, settings)
    emit(_document(campaign, campaign_id, found), lines(found), as_json=as_json)


def _accounts(campaign: Campaign, settings: Settings) -> list[Account]:
    if not settings.accounts_file.exists():
        tell(f"{settings.accounts_file} does not exist: when it would be through can not be said")
        return []
    check_accounts(campaign, settings)
    known = load_accounts(settings.accounts_file)
    return [known[name] for name in campaign.accounts]


@contextmanager
def _site(campaign: Campaign, accounts: list[Account], settings: Settings, data: Path | None) -> Iterator[_Site]:
    """Ask the ledger, where there is one; it stays open for the look-ups."""
    alone = _Site(accounts=accounts, busy=IDLE, look_up=iter)
    is_there = settings.redis_url is not None if data is None else data.is_dir()
    with ExitStack() as held:
        try:
            site = held.enter_context(_asked(campaign, accounts, data)) if is_there else alone
        except LedgerUnavailable as error:
            tell(f"{error}: suppression lists and queues are not looked at")
            site = alone
        yield site


@contextmanager
def _asked(campaign: Campaign, accounts: list[Account], data: Path | None) -> Iterator[_Site]:
    names, checks = [AccountName(name) for name in campaign.accounts], checks_of(campaign)
    with open_ledger(data) as ledger:
        client = ledger.client
        busy = Busy(lanes=lanes(client, names), waiting=waiting_in(client, names))
        yield _Site(accounts=accounts, busy=busy, look_up=partial(_welcome, client, checks))


def _read(campaign: Campaign, recipients: Source, checks: GatewayChecks, look_up: LookUp) -> Tally:
    plain = campaign.model_copy(update={"ascii": False})
    before_ascii = segment_counter(plain.wording()) if campaign.ascii else uncounted
    tally = Tally(campaign=campaign, check=with_dlt(checks.text, campaign.dlt()), before_ascii=before_ascii)
    with recipients_of(campaign, recipients) as rows, new_progress() as progress:
        for stretch in look_up(prepare(rows, campaign, checks=checks)):
            tally.add(stretch)
            progress.reading(tally.rows)
    return tally


def _welcome(client: redis.Redis, checks: Checks, prepared: Iterator[Prepared]) -> Iterator[Prepared]:
    for chunk in chunks(prepared):
        yield from without_suppressed(client, checks, chunk)


def _estimate(
    campaign: Campaign, campaign_id: CampaignId | None, tally: Tally, site: _Site, settings: Settings
) -> Found:
    now = datetime.now(UTC)
    calls = calls_for(tally.batches, site.accounts)
    total = sum(calls.values())
    load = Load(campaign=campaign, campaign_id=campaign_id, calls=calls, jitter_s=settings.jitter_ms / 1000)
    span = Span(start_at=max(now, campaign.start_at or now), hours=campaign.hours, ends_at=campaign.expires_at)
    finish_at, expired, reason = None, 0, ""
    match forecast(total, load.paces(site.accounts, site.busy, now), span):
        case Through(at=at):
            finish_at = at
        case RunsOut(unsent=unsent):
            finish_at, expired = campaign.expires_at, ceil(tally.queued * unsent / total)
            reason = f'"expires_at" comes first: {expired:,} would expire'
        case Beyond():
            reason = "; ".join(lane.words for lane in site.busy.lanes.values() if lane.held)
            reason = reason or ("it would take more than ten years" if site.accounts else "there is no accounts file")
        case never:
            assert_never(never)
    cost = cost_of(tally.segments, site.accounts) if campaign.has_segments else None
    return Found(tally=tally, calls=total, finish_at=finish_at, expired=expired, reason=reason, cost=cost)


def _document(campaign: Campaign, campaign_id: CampaignId | None, found: Found) -> dict[str, Any]:
    tally = found.tally
    counters = dict.fromkeys(COUNTERS, 0) | {kind: tally.counts[kind] for kind in KINDS}
    counters |= {
        "rows": tally.rows,
        "queued": tally.queued,
        "pending": tally.queued - found.expired,
        "expired": found.expired,
        "calls": found.calls,
        "batches": sum(tally.batches.values()),
        "segments": tally.segments,
    }
    return {
        "id": campaign_id,
        "name": campaign.name,
        **counters,
        "awaiting": 0,
        "codes": {},
        "samples": sample_objects(tally),
        "first_rows": first_row_objects(tally),
        "cost": None if found.cost is None else found.cost.highest,
        "ascii_saves": tally.ascii_saves,
        "finish_at": None if found.finish_at is None else found.finish_at.astimezone(UTC).isoformat(timespec="seconds"),
        "reason": found.reason or None,
    }
