"""The table `[schedule]` of a campaign file: when a campaign recurs. Checked once, when the file is read."""

import re
from datetime import UTC, datetime
from typing import Annotated, Final
from zoneinfo import ZoneInfo

from celery.schedules import ParseException, crontab_parser
from pydantic import AfterValidator, BaseModel, ConfigDict
from pydantic_core import ErrorDetails, PydanticCustomError

from worker.domain.cron import Cron
from worker.domain.recurrence import OnMissed
from worker.intake.suggestions import did_you_mean
from worker.intake.zones import ZoneName

_MONTHS = "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec"
_WEEKDAYS = "sun|mon|tue|wed|thu|fri|sat"

_FIELDS: Final = {
    "minute": (0, 59, ""),
    "hour": (0, 23, ""),
    "day of the month": (1, 31, ""),
    "month": (1, 12, _MONTHS),
    "day of the week": (0, 6, _WEEKDAYS),
}
"""Field of a cron → lowest and highest number, and names for them."""


def _expand(text: str) -> list[frozenset[int]]:
    fields = text.split()
    if len(fields) != len(_FIELDS):
        raise _wrong(f'should have five fields, like "0 11 * * 1-5": {", ".join(_FIELDS)}')
    return [_expand_field(name, field) for name, field in zip(_FIELDS, fields, strict=True)]


def _expand_field(name: str, text: str) -> frozenset[int]:
    lowest, highest, names = _FIELDS[name]
    number = rf"(?:\d{{1,2}}{'|' + names if names else ''})"
    part = rf"(?:\*|{number}(?:-{number})?)(?:/\d{{1,2}})?"
    # Celery's parser passes over what stands behind a part that it knows, and takes a weekday for an hour.
    is_known = re.fullmatch(rf"{part}(?:,{part})*", text, re.IGNORECASE | re.ASCII) is not None
    try:
        return frozenset(crontab_parser(highest - lowest + 1, lowest).parse(text.lower() if is_known else ""))
    except (ParseException, ValueError) as error:
        also = f" (or {names.replace('|', ' ')})" if names else ""
        allowed = f"{lowest} to {highest}{also}, *, a range, a step, or a list of them"
        raise _wrong(f'has {name} "{text}", which should be {allowed}') from error


def _check_cron(text: str) -> str:
    cron = _cron(text, ZoneInfo("UTC"))
    if cron.following(datetime.now(UTC)) is None:
        raise _wrong(f'is never due: no year has the days of "{text}"')
    return text


def _cron(text: str, zone: ZoneInfo) -> Cron:
    minutes, hours, days, months, weekdays = _expand(text)
    return Cron(minutes=minutes, hours=hours, days=days, months=months, weekdays=weekdays, zone=zone)


class ScheduleOptions(BaseModel):
    """When a campaign recurs: five cron fields by the clocks of `timezone`, by default the campaign's."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    cron: Annotated[str, AfterValidator(_check_cron)]
    timezone: ZoneName | None = None
    on_missed: OnMissed = "run"

    def due_times(self, default_zone: str) -> Cron:
        """Return the due times; `default_zone` is the campaign's."""
        return _cron(self.cron, ZoneInfo(self.timezone or default_zone))


def complaint(inside: str, details: ErrorDetails) -> str | None:
    """Say what is wrong with a key of the table in words of its own, or `None` where a campaign's words will do."""
    match details["type"]:
        case "extra_forbidden":
            return f"is not a key of [schedule]{did_you_mean(inside, ScheduleOptions.model_fields)}"
        case "dict_type" | "model_type":
            return "should be a table"
        case _:
            return None


def _wrong(text: str) -> PydanticCustomError:
    return PydanticCustomError("wrong", "{text}", {"text": text})
