"""The lines of a report, and the file that they go into: whole, or not at all."""

import csv
import enum
import os
import secrets
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple, TextIO

import orjson
import redis

from config.errors import ConfigError
from scripts.cli.failed import CommandFailed
from worker.billing import counter_of
from worker.domain.ids import CampaignId
from worker.ledger.record import FIELDS, ReportRow, own_names, report_columns, report_rows

_OWN = len(FIELDS)


class Format(enum.StrEnum):
    """How a report is written."""

    CSV = "csv"
    JSONL = "jsonl"


class _Ends(NamedTuple):
    """What stands around JSON objects: of JSON Lines nothing, of one array its brackets."""

    before: str
    between: str
    after: str


_LINES = _Ends("", "\n", "\n")
_ARRAY = _Ends("[\n", ",\n", "\n]\n")


def check_target(path: Path, option: str, inputs: Iterable[str | Path | None]) -> None:
    """Raise `ConfigError` where a report can not be written to `path`, or would take the place of an input."""
    try:
        is_directory = path.is_dir()
    except OSError as error:  # a name that is too long
        raise ConfigError(f"{option} {path}: {error.strerror}") from error
    if is_directory:
        raise ConfigError(f"{option} {path}: is a directory")
    if not path.parent.is_dir():
        raise ConfigError(f"{option} {path}: there is no directory {path.parent}")
    if not os.access(path.resolve().parent if not path.exists() or path.is_file() else path, os.W_OK):
        raise ConfigError(f"{option} {path}: may not be written")
    if (read := next((each for each in inputs if each is not None and _is_same(path, each)), None)) is not None:
        raise ConfigError(f"{option} {path}: the report would take the place of {read}, which is read")


def _is_same(path: Path, other: str | Path) -> bool:
    try:
        return path.samefile(other)
    except (OSError, ValueError):  # one of them is not there
        return False


def write_stdout(client: redis.Redis, campaign_id: CampaignId, form: Format, only: str | None) -> None:
    """Stream the report to standard output."""
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(encoding="utf-8")
    _write(sys.stdout, client, campaign_id, form, only)
    sys.stdout.flush()


def write_array(client: redis.Redis, campaign_id: CampaignId, only: str | None) -> None:
    """Stream the report to standard output as one JSON array."""
    _write_json(sys.stdout, _wanted(client, campaign_id, only), _ARRAY)
    sys.stdout.flush()


def write_file(
    path: Path, client: redis.Redis, campaign_id: CampaignId, form: Format | None = None, only: str | None = None
) -> int:
    """Write the report and return its number of rows; without a form the file's suffix decides."""
    by_suffix = Format.JSONL if path.suffix.lower() == ".jsonl" else Format.CSV
    with _whole(path) as stream:
        return _write(stream, client, campaign_id, form or by_suffix, only)


@contextmanager
def _whole(path: Path) -> Iterator[TextIO]:
    """Open a file that takes its place when all is written; what is no plain file (a pipe) is written as it is."""
    target = path.resolve()
    is_plain = target.is_file() or not target.exists()
    part = target.with_name(f".{secrets.token_hex(8)}.part") if is_plain else target
    try:
        with part.open("w", encoding="utf-8", newline="") as stream:
            yield stream
        if is_plain:
            part.replace(target)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise CommandFailed(f"{path} can not be written: {error.strerror}") from error
    finally:
        if is_plain:
            part.unlink(missing_ok=True)


def _write(stream: TextIO, client: redis.Redis, campaign_id: CampaignId, form: Format, only: str | None) -> int:
    wanted = _wanted(client, campaign_id, only)
    if form is Format.JSONL:
        return _write_json(stream, wanted, _LINES)
    return _write_csv(stream, report_columns(client, campaign_id), wanted)


def _wanted(client: redis.Redis, campaign_id: CampaignId, only: str | None) -> Iterator[ReportRow]:
    rows = report_rows(client, campaign_id, counter_of(client, campaign_id))
    return rows if only is None else (row for row in rows if row.outcome == only)


def _write_csv(stream: TextIO, columns: tuple[str, ...], rows: Iterator[ReportRow]) -> int:
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow([*FIELDS, *own_names(columns)])
    count = 0
    for row in rows:
        values = row.values
        if row.columns != columns:
            known = dict(zip(row.columns, row.values, strict=True))
            values = [known.get(column) for column in columns]
        writer.writerow([*row[:_OWN], *values])
        count += 1
    return count


def _write_json(stream: TextIO, rows: Iterator[ReportRow], ends: _Ends) -> int:
    names = lru_cache(maxsize=64)(lambda columns: (*FIELDS, *own_names(columns)))
    count = 0
    for row in rows:
        line = dict(zip(names(row.columns), [*row[:_OWN], *row.values], strict=True))
        stream.write(ends.between if count else ends.before)
        stream.write(orjson.dumps(line).decode())
        count += 1
    stream.write(ends.after if count else ends.before and "[]\n")
    return count
