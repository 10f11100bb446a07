"""produce: from a campaign and its recipients to batches in the ledger, and the first ring."""

import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from config.account_models import Account
from config.accounts import load_accounts
from config.errors import ConfigError
from config.settings import NO_REDIS, Settings, load_settings
from tasks.ring import ring
from worker.domain.hours import HoursError, indian_promotional_hours, narrowed
from worker.domain.ids import CampaignId
from worker.domain.recurrence import Due
from worker.follow_up import choose, chosen
from worker.gateways.checks import content_check, reader_of, sender_problem, takes_content
from worker.intake.batches import OF_BODIES, Check, GatewayChecks
from worker.intake.campaign import Campaign, check_id
from worker.intake.campaign_file import load_campaign
from worker.intake.readers import open_rows, rows_from
from worker.intake.rows import RowSource
from worker.ledger.connection import connect
from worker.ledger.reading import exists
from worker.producer import Produced, WasThere, nobody, produce

Recipients = Iterable[Mapping[str, str | None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Enqueued:
    """What an enqueue came to: a new production, or `WasThere` for an id that the ledger has already."""

    id: CampaignId
    outcome: Produced | WasThere


def new_id(campaign: Campaign) -> CampaignId:
    """Return the campaign's name with a random suffix."""
    return CampaignId(f"{campaign.name}-{secrets.token_hex(3)}")


def check_accounts(campaign: Campaign, settings: Settings) -> None:
    """Raise `ConfigError` for a wrong accounts file, and for an account that is not there or can not send this."""
    accounts = load_accounts(settings.accounts_file)
    for name in campaign.accounts:
        if name not in accounts:
            raise ConfigError(
                f"{settings.accounts_file}: there is no account {name}, which campaign {campaign.name} names"
            )
        check_kind(campaign, name, accounts[name].gateway)
        check_own(campaign, accounts[name])
    gateways = {accounts[name].gateway for name in campaign.accounts}
    if len(gateways) > 1:
        kinds = " and ".join(sorted(gateways))
        raise ConfigError(f"campaign {campaign.name} names accounts at {kinds}: a pool is of one kind of gateway")


def check_kind(campaign: Campaign, account: str, gateway: str) -> None:
    """Raise `ConfigError` where a gateway sends bodies and the campaign has a content object, or the other way."""
    given, taken = ("a body", "[content]") if campaign.content is None else ("[content]", "a body")
    if takes_content(gateway) != (campaign.content is not None):
        raise ConfigError(
            f"campaign {campaign.name} has {given}, and account {account} sends {taken}: its gateway is {gateway}"
        )


def check_own(campaign: Campaign, account: Account) -> None:
    """Raise `ConfigError` for a table or a `from` that the account's gateway does not take.

    A `from` with a field is each message's own, and judged with its row.
    """
    at = f"account {account.name} is at {account.gateway}"
    for table, given in (("exotel", campaign.exotel), ("skycore", campaign.skycore)):
        if given is not None and account.gateway != (reader := reader_of(table)):
            raise ConfigError(f"campaign {campaign.name} has [{table}], which only {reader} reads, and {at}")
    if campaign.sender is not None and not campaign.call_sender:
        return
    if why := sender_problem(account, campaign.call_sender):
        raise ConfigError(f'campaign {campaign.name}: "from" {why} ({at})')


def checks_for(campaign: Campaign, settings: Settings) -> GatewayChecks:
    """Return what judges the rows of a campaign: its text or content, and its senders, by the limits of its gateway.

    Raises `ConfigError` as `check_accounts` does, which is to be asked first.
    """
    # A dry run may be without the file.
    known = load_accounts(settings.accounts_file) if settings.accounts_file.exists() else {}
    accounts = [known[name] for name in campaign.accounts if name in known]
    sender = _sender_check(accounts)
    if campaign.content is None:
        return replace(OF_BODIES, sender=sender)
    content = content_check(accounts[0].gateway if accounts else "")
    return GatewayChecks(text=content, wording=content.wording, sender=sender)


def _sender_check(accounts: Sequence[Account]) -> Check:
    """Return what tells why one of the accounts, each of which may be the one, can not send with a `from`."""
    return lambda sender: next((why for account in accounts if (why := sender_problem(account, sender))), "")


def check_limits(campaign: Campaign, settings: Settings) -> None:
    """Raise `ConfigError` for a window outside the legal hours, and for a frequency cap that nobody could keep."""
    _check_hours(campaign, datetime.now(UTC))
    _check_cap(campaign, settings)


def _check_hours(campaign: Campaign, now: datetime) -> None:
    if campaign.window is None or not campaign.is_bound_to_indian_hours or campaign.hours is None:
        return
    try:
        narrowed(campaign.hours, indian_promotional_hours(), now=now)
    except HoursError as error:
        raise ConfigError(f'campaign {campaign.name}: "window" {error}') from error


def _check_cap(campaign: Campaign, settings: Settings) -> None:
    asked, kept = campaign.not_before_hours or 0, settings.remember_hours
    if asked > kept:
        raise ConfigError(
            f"campaign {campaign.name} has not_before_hours = {asked}, but who was messaged is "
            f"remembered for {kept} hours: set BULKSEND_REMEMBER_HOURS to {asked} or more, here and for the workers"
        )


def source_of(campaign: Campaign, override: str | None = None) -> str | None:
    """Return where its recipients stand: the file `override`, or the campaign's own.

    The path of a campaign with a [schedule] may hold the date: of one that is sent out of turn it is that of now.
    """
    if override is not None or campaign.recipients is None or campaign.due_times is None:
        return campaign.recipients if override is None else override
    return Due(at=datetime.now(UTC), zone=campaign.due_times.zone).fill(campaign.recipients)


def open_recipients(campaign: Campaign, recipients: Recipients | None, override: str | None = None) -> RowSource:
    """Return the rows to read: those given, or those of `source_of`."""
    if recipients is not None:
        return rows_from(recipients)
    source = source_of(campaign, override)
    if source is None:
        raise ConfigError(f"campaign {campaign.name} has no recipients: name a file under recipients")
    return open_rows(source)


def recipients_of_report(
    id: str,  # noqa: A002 - as in `enqueue`
    *,
    only: Iterable[str] = (),
    codes: Iterable[str] = (),
    unconfirmed: Literal["passed over", "taken"] = "passed over",
    to: str = "to",
) -> Iterator[Mapping[str, str | None]]:
    """Give recipients for a follow-up to `enqueue`: rows of campaign `id` by what became of them, as a stream.

    `only` are outcomes of its report, or delivered, undelivered and awaiting; `codes` the gateway's; at least one of
    both is needed. Each row has its own columns; in column `to` stands its number in E.164, unless it is invalid.
    Raises `ConfigError` and `LedgerError` when it is read.
    """
    settings, choice = load_settings(), choose(check_id(id), only, codes, unconfirmed)
    if settings.redis_url is None:
        raise ConfigError(NO_REDIS)
    with connect(settings.redis_url) as client:
        if not exists(client, choice.of):
            raise ConfigError(f"there is no campaign {choice.of}")
        yield from chosen(client, choice, to=to)


def enqueue_campaign(
    campaign: Campaign,
    rows: RowSource,
    campaign_id: CampaignId,
    settings: Settings,
    *,
    hold: str = "",
    on_progress: Callable[[int], None] = nobody,
) -> Enqueued:
    """Produce a campaign and ring for its accounts. Raises `ConfigError`, `ProductionLost`, `LedgerError`."""
    check_accounts(campaign, settings)
    check_limits(campaign, settings)
    if settings.redis_url is None:
        raise ConfigError(NO_REDIS)
    checks = checks_for(campaign, settings)
    with connect(settings.redis_url) as client:
        outcome = produce(client, campaign_id, campaign, rows, hold=hold, on_progress=on_progress, checks=checks)
    if outcome.state == "running":
        ring(campaign.accounts)
    return Enqueued(id=campaign_id, outcome=outcome)


def enqueue(
    campaign: Campaign | Path,
    recipients: Recipients | None = None,
    *,
    id: str | None = None,  # noqa: A002 - the public interface's name
) -> str:
    """Queue a campaign and return its id; it is sent by the workers.

    `campaign` is a campaign or the path of its file. `recipients` are mappings from column to value, read once and
    never held in memory; without them the campaign's own file is read. The same id again continues an interrupted
    production, and otherwise changes nothing. Raises `ConfigError` for wrong input, `ProductionLost` where another
    producer has the id, `LedgerError` where Redis does not do its part.
    """
    settings = load_settings()
    parsed = load_campaign(campaign) if isinstance(campaign, Path) else campaign
    campaign_id = check_id(id) if id is not None else new_id(parsed)
    with open_recipients(parsed, recipients) as rows:
        return enqueue_campaign(parsed, rows, campaign_id, settings).id
