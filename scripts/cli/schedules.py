"""Schedules as `schedule list` shows them."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import redis

from config.errors import ConfigError
from scripts.cli.words import table
from tasks.recurring import missed_policy, read, times
from worker.domain.recurrence import Due
from worker.intake.campaign import Campaign
from worker.ledger.reading import Standing, standings
from worker.ledger.schedules import Schedule

LEFT = "the process that produced it stopped; a worker goes on with it within two minutes"

_HEADING = ("name", "cron", "next", "last run", "came to", "reason")


def documents(client: redis.Redis, found: list[Schedule]) -> list[dict[str, Any]]:
    """Return what `--json` prints of each schedule; instants are ISO 8601 by the clocks of its zone.

    `last.outcome`: producing, interrupted, failed, skipped, or started: then `last.state` is that of its campaign.
    """
    runs = {schedule.last.id for schedule in found if schedule.last is not None}
    campaigns = {standing.id: standing for standing in standings(client, sorted(runs))}
    return [_document(schedule, campaigns) for schedule in found]


def _document(schedule: Schedule, campaigns: dict[Any, Standing]) -> dict[str, Any]:
    paused = schedule.paused or None
    try:
        campaign = read(schedule)
        cron = times(campaign)
    except ConfigError as error:
        unread = dict.fromkeys(("cron", "timezone", "on_missed", "recipients", "next_at", "last"))
        return {"name": schedule.name, **unread, "paused": paused, "problem": str(error)}
    following = None if paused else cron.following(schedule.now)
    return {
        "name": schedule.name,
        "cron": campaign.schedule and campaign.schedule.cron,
        "timezone": cron.zone.key,
        "on_missed": missed_policy(campaign),
        "recipients": campaign.recipients,
        "paused": paused,
        "next_at": _iso(following and following.astimezone(cron.zone)),
        "last": _last(schedule, campaign, campaigns),
        "problem": None,
    }


def _last(schedule: Schedule, campaign: Campaign, campaigns: dict[Any, Standing]) -> dict[str, Any] | None:
    """Return the run that has not ended, or else the last one."""
    zone = times(campaign).zone
    last = schedule.last
    if schedule.unfinished is not None:
        due = Due(at=schedule.unfinished, zone=zone)
        outcome, reason = ("producing", None) if schedule.claimed else ("interrupted", LEFT)
        return {
            "id": due.run_id(schedule.name), "due_at": _iso(due.local), "outcome": outcome, "reason": reason,
            "state": "producing",
        }  # fmt: skip
    if last is None:
        return None
    standing = campaigns.get(last.id)
    return {
        "id": last.id, "due_at": _iso(last.due_at.astimezone(zone)), "outcome": last.outcome,
        "reason": last.reason or None, "state": standing.state if standing else None,
    }  # fmt: skip


def _iso(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat(timespec="minutes")


def table_of(found: list[dict[str, Any]]) -> Iterator[str]:
    """Give the lines for people."""
    return table([_HEADING, *map(_line, found)])


def _line(document: dict[str, Any]) -> tuple[str, ...]:
    last = document["last"] or {"id": "-", "outcome": "-", "reason": None, "state": None}
    came_to = last["state"] if last["outcome"] == "started" and last["state"] else last["outcome"]
    when = f"paused {document['paused']}" if document["paused"] else document["next_at"] or "-"
    cron = f"{document['cron']} {document['timezone']}" if document["cron"] else "-"
    return document["name"], cron, when, last["id"], came_to, document["problem"] or last["reason"] or ""
