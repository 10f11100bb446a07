"""enqueue --dry-run: everything is read and judged as production would, and nothing is queued; no Redis is needed."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from config.accounts import load_accounts
from config.settings import Settings, load_settings
from scripts.cli.output import emit
from scripts.cli.progress import new_progress
from scripts.cli.recipients import Source, recipients_of
from scripts.cli.words import tell
from tasks.produce import check_accounts, check_limits, text_check
from worker.domain.content import BatchContent, messages
from worker.domain.ids import CampaignId
from worker.domain.throttle import MICROSECONDS, spacing_us
from worker.intake.batches import Check, prepare
from worker.intake.campaign import Campaign
from worker.ledger.reading import COUNTERS

SAMPLES = 3
TOLD_PROBLEMS = 5


@dataclass(slots=True)
class _Counted:
    rows: int = 0
    invalid: int = 0
    duplicate: int = 0
    queued: int = 0
    calls: int = 0
    last_batch: int = 0
    samples: list[dict[str, Any]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def dry_run(campaign: Campaign, campaign_id: CampaignId | None, recipients: Source, *, as_json: bool) -> None:
    """Print what enqueue would queue: counts, samples, calls, and when it would be through."""
    settings = load_settings()
    check_limits(campaign, settings)
    finish_in_s = _pace(campaign, settings)
    counted = _count(campaign, recipients, text_check(campaign, settings))
    finish_at = None
    if finish_in_s is not None:
        seconds = max(finish_in_s[0] * (counted.calls - 1), finish_in_s[1] * (counted.queued - counted.last_batch), 0)
        finish_at = (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat(timespec="seconds")
    emit(_document(campaign, campaign_id, counted, finish_at), _lines(campaign, counted, finish_at), as_json=as_json)


def _pace(campaign: Campaign, settings: Settings) -> tuple[float, float] | None:
    """Return the seconds between two calls and two messages; `None` where there is no accounts file to say it."""
    if not settings.accounts_file.exists():
        tell(f"{settings.accounts_file} does not exist: when it would be through can not be said")
        return None
    check_accounts(campaign, settings)
    account = load_accounts(settings.accounts_file)[campaign.accounts[0]]
    rates = [account.requests, account.messages]
    jitter_s = settings.jitter_ms / 1000
    calls_s, messages_s = (
        spacing_us(rate.per_second, rate.window_s, jitter_s) / MICROSECONDS if rate else 0.0 for rate in rates
    )
    return calls_s, messages_s


def _count(campaign: Campaign, recipients: Source, check: Check) -> _Counted:
    counted = _Counted()
    template = campaign.wording()
    with recipients_of(campaign, recipients) as rows, new_progress() as progress:
        for prepared in prepare(rows, campaign, check=check):
            content = prepared.content
            counted.rows += prepared.rows
            counted.invalid += prepared.invalid
            counted.duplicate += prepared.duplicate
            if content.rows:
                counted.queued += len(content.rows)
                counted.calls += 1
                counted.last_batch = len(content.rows)
            if len(counted.samples) < SAMPLES:
                bodies = (message.body for message in messages(content, template))
                written = zip(content.rows, content.numbers, bodies, strict=True)
                samples = [{"row": row, "to": f"+{number}", "body": body} for row, number, body in written]
                counted.samples += samples[: SAMPLES - len(counted.samples)]
            counted.problems += _problems(content)[: TOLD_PROBLEMS - len(counted.problems)]
            progress.reading(counted.rows)
    return counted


def _problems(content: BatchContent) -> list[str]:
    return [f"row {row.row}: {row.outcome}: {row.reason}" for row in content.passed]


def _document(
    campaign: Campaign, campaign_id: CampaignId | None, counted: _Counted, finish_at: str | None
) -> dict[str, Any]:
    counters = dict.fromkeys(COUNTERS, 0) | {
        "rows": counted.rows,
        "invalid": counted.invalid,
        "duplicate": counted.duplicate,
        "queued": counted.queued,
        "pending": counted.queued,
        "calls": counted.calls,
        "batches": counted.calls,
    }
    more = {"awaiting": 0, "codes": {}, "samples": counted.samples, "finish_at": finish_at}
    return {"id": campaign_id, "name": campaign.name, **counters, **more}


def _lines(campaign: Campaign, counted: _Counted, finish_at: str | None) -> Iterator[str]:
    yield f"{campaign.name}: nothing was queued"
    passed = f"{counted.invalid:,} invalid, {counted.duplicate:,} duplicate"
    yield f"  {counted.rows:,} rows: {counted.queued:,} would be queued, {passed}"
    through = f", through by {finish_at} at the earliest" if finish_at else ""
    yield f"  calls to the gateway: {counted.calls:,}{through}"
    for sample in counted.samples:
        yield f"  row {sample['row']}, {sample['to']}: {sample['body']}"
    for problem in counted.problems:
        yield f"  {problem}"
    rest = counted.invalid + counted.duplicate - len(counted.problems)
    if rest > 0:
        yield f"  and {rest:,} more that would not be queued"
