"""Schedules as Celery beat knows them: one RedBeat entry each, which sends `bulksend.schedule` with the name.

An entry is a bell and nothing else: by the fields of UTC, because RedBeat keeps no zone, it may ring too often, and the
task decides by the ledger. So it does no harm that the two are written one after the other.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Literal

from celery import Celery
from celery.schedules import crontab
from redbeat import RedBeatSchedulerEntry
from redbeat.schedulers import get_redis

from worker.domain.cron import Cron
from worker.ledger.errors import translated

TASK = "bulksend.schedule"


def put_entry(redis_url: str, name: str, due_times: Cron, *, state: Literal["open", "paused"]) -> None:
    """Write a schedule's entry, or replace it; beats see it within two seconds. Raises `LedgerUnavailable`."""
    with _beat_of(redis_url) as app, translated():
        schedule = _crontab(due_times.in_utc(datetime.now(UTC)), app)
        _entry(app, name, schedule, enabled=state == "open").save()


def remove_entry(redis_url: str, name: str) -> None:
    """Forget a schedule's entry. Raises `LedgerUnavailable`."""
    with _beat_of(redis_url) as app, translated():
        _entry(app, name, crontab(app=app)).delete()


def _entry(app: Celery, name: str, schedule: crontab, *, enabled: bool = True) -> RedBeatSchedulerEntry:
    return RedBeatSchedulerEntry(name=name, task=TASK, schedule=schedule, args=[name], enabled=enabled, app=app)


@contextmanager
def _beat_of(redis_url: str) -> Iterator[Celery]:
    """Give an application whose RedBeat is at this Redis: the process's own may know another, or none."""
    app = Celery("bulksend-schedules", set_as_current=False)
    app.config_from_object("config.celery_options")
    app.conf.redbeat_redis_url = redis_url
    try:
        yield app
    finally:
        get_redis(app).close()
        app.close()


def _crontab(cron: Cron, app: Celery) -> crontab:
    return crontab(
        minute=_field(cron.minutes, 60),
        hour=_field(cron.hours, 24),
        day_of_month=_field(cron.days, 31),
        month_of_year=_field(cron.months, 12),
        day_of_week=_field(cron.weekdays, 7),
        app=app,
    )


def _field(numbers: frozenset[int], possible: int) -> str:
    return "*" if len(numbers) == possible else ",".join(map(str, sorted(numbers)))
