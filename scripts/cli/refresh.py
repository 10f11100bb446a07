"""refresh: asks the gateway about a campaign's messages that still await a delivery report."""

import asyncio
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Annotated, Any

import redis
import typer

from config.settings import load_settings
from scripts.cli.details import access_of
from scripts.cli.failed import CommandFailed
from scripts.cli.ledger import open_ledger
from scripts.cli.options import Data, Json, KnownId
from scripts.cli.output import emit
from worker.applying import addressed, write
from worker.asking import new_client
from worker.domain.delivery import DeliveryReport
from worker.domain.ids import AccountName, CampaignId
from worker.ledger.record import report_rows
from worker.refreshing import PER_SECOND, Asker, Refreshed, awaiting
from worker.refreshing import refresh as ask_all

Limit = Annotated[
    int | None, typer.Option("--limit", metavar="N", min=1, help="Ask about so many messages at most; default: all.")
]


def refresh(campaign_id: KnownId, *, limit: Limit = None, data: Data = None, as_json: Json = False) -> None:
    """Ask the gateway about accepted messages that still await a delivery report: SMS of Exotel only.

    It asks 5 times a second and account. Safe to run again: it goes on with those that still await one.
    """
    with open_ledger(data) as ledger:
        campaign = ledger.standing(campaign_id).id
        refreshed = asyncio.run(_walk(ledger.client, campaign, limit))
    if refreshed.stopped:
        raise CommandFailed(f"{refreshed.stopped} (after {_in_words(refreshed)})")
    emit(_document(campaign, refreshed), _lines(campaign, refreshed), as_json=as_json)


async def _walk(client: redis.Redis, campaign_id: CampaignId, limit: int | None) -> Refreshed:
    remember_hours = load_settings().remember_hours

    def apply(_account: AccountName, reports: Sequence[DeliveryReport]) -> None:
        write(client, [addressed(report) for report in reports], remember_hours=remember_hours)

    async with new_client() as http:

        @cache
        def asker_for(account: AccountName) -> Asker:
            access, timeout_s = access_of(account)
            return Asker(access, http, timeout_s=timeout_s, per_second=PER_SECOND)

        wanted = awaiting(campaign_id, report_rows(client, campaign_id))
        return await ask_all(wanted, asker_for, apply, limit=limit)


def _document(campaign_id: CampaignId, refreshed: Refreshed) -> dict[str, Any]:
    names = ("asked", "reported", "underway", "unknown", "unreadable")
    return {"id": campaign_id, **{name: getattr(refreshed, name) for name in names}}


def _lines(campaign_id: CampaignId, refreshed: Refreshed) -> Iterator[str]:
    yield f"{campaign_id}: {_in_words(refreshed)}"


def _in_words(refreshed: Refreshed) -> str:
    counts = {
        "with a report": refreshed.reported,
        "still underway": refreshed.underway,
        "unknown to the gateway": refreshed.unknown,
        "without a usable answer": refreshed.unreadable,
    }
    found = ", ".join(f"{count:,} {words}" for words, count in counts.items() if count)
    messages = "message" if refreshed.asked == 1 else "messages"
    return f"asked about {refreshed.asked:,} {messages}" + (f": {found}" if found else "")
