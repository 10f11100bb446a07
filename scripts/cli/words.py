"""What commands tell people: where a campaign stands, in a few lines, and commands that can be typed as they stand."""

import shlex
import shutil
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from worker.ledger.reading import Standing

_QUEUED = ("pending", "in_flight", "accepted", "rejected", "unconfirmed", "expired", "cancelled")
_DELIVERY = ("delivered", "undelivered", "awaiting")
_PASSED = ("invalid", "duplicate", "suppressed")


def exact(*parts: str) -> str:
    """Return a bulksend command as it can be typed into a shell, the program named as it was this time."""
    return shlex.join([*_program(), *parts])


def argument(path: Path) -> str:
    """Return a path as an argument of a command: one that begins with a dash would be taken for an option."""
    return f"./{path}" if str(path).startswith("-") else str(path)


def _program() -> list[str]:
    called = Path(sys.argv[0])
    if called.name == "__main__.py":
        return [sys.executable, "-m", "scripts.cli"]
    found = shutil.which("bulksend")
    if called.name != "bulksend" or (found is not None and Path(found).resolve() == called.resolve()):
        return ["bulksend"]
    return [str(called)]


def tell(sentence: str) -> None:
    """Say something to people: on standard error, whatever standard output is for."""
    sys.stderr.write(f"{sentence}\n")


def summary(standing: "Standing") -> Iterator[str]:
    """Give the lines that say where a campaign stands."""
    yield f"{standing.id}: {standing.state}" + (f" ({standing.reason})" if standing.reason else "")
    yield f"  {counted(standing.rows, 'row')}: " + ", ".join(counts(standing, ("queued", *_PASSED)))
    if standing.queued:
        yield "  of those queued: " + ", ".join(counts(standing, _QUEUED))
    if standing.delivered or standing.undelivered:
        yield "  of those accepted: " + ", ".join(counts(standing, _DELIVERY))
    if standing.unmatched:
        yield f"  {standing.unmatched:,} delivery reports match no message"
    if standing.segments:
        yield f"  segments: {standing.segments:,}"
    yield f"  {calls(standing)}"
    what = "rejected or undelivered" if standing.undelivered else "rejected"
    for code, count in sorted(standing.codes.items(), key=lambda each: -each[1]):
        yield f"  {what} {count:,}: {code}"


def counts(standing: "Standing", names: Iterable[str]) -> list[str]:
    """Return "8 rejected" for each of the counters that is not 0, or that there are none."""
    found = [f"{getattr(standing, name):,} {name.replace('_', ' ')}" for name in names if getattr(standing, name)]
    return found or ["none"]


def counted(count: int, one: str, more: str = "") -> str:
    """Return "1 row", or "1,050 rows"; `more` where the plural has not just an s."""
    return f"{count:,} {one if count == 1 else more or f'{one}s'}"


def calls(standing: "Standing") -> str:
    """Return how many calls it took."""
    made = f"{counted(standing.calls, 'call')} to the gateway"
    return made + (f", {standing.throttled:,} of them throttled" if standing.throttled else "")


def table(rows: list[tuple[str, ...]]) -> Iterator[str]:
    """Give rows as lines with aligned columns; the first row is the heading."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
