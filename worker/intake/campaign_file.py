"""Reading a campaign file: from TOML to a `Campaign`, or one sentence that names the file and the key."""

import tomllib
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from config.errors import ConfigError
from config.toml import parse_toml
from worker.intake import exotel_options, schedule_options, skycore_options
from worker.intake.campaign import INSIDE, Campaign
from worker.intake.suggestions import did_you_mean


def load_campaign(path: Path) -> Campaign:
    """Read a campaign file (TOML); a relative `recipients` is meant from the file's own directory.

    Raises `ConfigError`, one sentence with the file and the key, or the line where it is not TOML.
    """
    document = _read_toml(path)
    try:
        campaign = Campaign.model_validate(document, by_alias=True, by_name=False)
    except ValidationError as error:
        raise ConfigError(f"{path}: {_sentence(error)}") from error
    if campaign.recipients in {None, "-"}:
        return campaign
    return campaign.model_copy(update={"recipients": str(path.parent / str(campaign.recipients))})


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from error
    try:
        return parse_toml(path, content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise ConfigError(f"{path}, line {line}: not UTF-8") from error
    except tomllib.TOMLDecodeError as error:
        last = content.rstrip().count(b"\n") + 1
        complaint = str(error).replace("(at end of document)", f"(at line {last}, the last)")
        raise ConfigError(f"{path}: not TOML: {complaint}") from error


def _sentence(error: ValidationError) -> str:
    """Say the first thing that is wrong."""
    details = error.errors()[0]
    if not details["loc"]:
        return details["msg"]
    key, *inside = (str(part) for part in details["loc"])
    if details["type"] == INSIDE:
        return f"{key}.{details['msg']}"
    if key in _TABLES:
        words = _TABLES[key]("".join(inside[:1]), details)
        key = ".".join([key, *inside[:1]])
        if words is not None:
            return f'"{key}" {words}'
    place = f'"{key}"' + "".join(f", item {int(index) + 1}" for index in inside if index.isdigit())
    return f"{place} {_complaint(key, details)}"


_TABLES = {
    "exotel": exotel_options.complaint,
    "schedule": schedule_options.complaint,
    "skycore": skycore_options.complaint,
}
"""Tables with keys of their own, and what says what is wrong with one of these."""

_KINDS = {"string_type": "text in quotes", "tuple_type": "a list", "dict_type": "a table", "bool_type": "true or false"}


def _complaint(key: str, details: ErrorDetails) -> str:  # noqa: PLR0911 - one a mistake
    match details["type"]:
        case "missing":
            return "is missing"
        case "extra_forbidden":
            known = [field.serialization_alias or name for name, field in Campaign.model_fields.items()]
            return f"is not a key of a campaign{did_you_mean(key, known)}"
        case "string_pattern_mismatch":
            most = 60 if key == "name" else 64
            return f"should have 1 to {most} of the characters a-z 0-9 - _ . and not begin with -"
        case "too_short" | "string_too_short":
            return "is empty"
        case "timezone_aware":
            return "should have an offset, like 2026-11-22T10:00:00+05:30"
        case "string_type" | "tuple_type" | "dict_type" | "bool_type" as kind:
            return f"should be {_KINDS[kind]}"
        case _:
            return details["msg"].replace("Input should", "should")
