"""Names of time zones in files."""

from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError


def _check_zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise PydanticCustomError("wrong", "{text}", {"text": 'should be a zone like "Asia/Kolkata"'}) from error
    return value


ZoneName = Annotated[str, Field(min_length=1), AfterValidator(_check_zone)]
"""A zone that this machine knows, by its name in the tz database."""
