"""Dates as gateways write them that say their own zone: ISO 8601 with an offset."""

from datetime import datetime


def seconds_of(date: str) -> float | None:
    """Return seconds since the epoch; `None` for what is no date, names no zone, or is the epoch itself: not set."""
    try:
        moment = datetime.fromisoformat(date)
    except ValueError:
        return None
    if moment.tzinfo is None:
        return None
    seconds = moment.timestamp()
    return seconds if seconds > 0 else None
