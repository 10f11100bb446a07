"""How far a command is, on standard error: a bar on a terminal, a line every few seconds elsewhere."""

import sys
import time
from types import TracebackType
from typing import Protocol, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as RichProgress

from scripts.cli.words import counted, counts, tell
from worker.ledger.reading import Standing

LINE_EVERY_S = 3.0

_TOLD = ("accepted", "rejected", "unconfirmed")


class Progress(Protocol):
    """Shows how far it is while it is entered."""

    def __enter__(self) -> Self:
        """Begin to show."""
        ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Show no more."""
        ...

    def reading(self, rows: int) -> None:
        """So many rows of the input are read."""
        ...

    def sending(self, standing: Standing, note: str | None) -> None:
        """The campaign stands so; `note` says why nothing goes, if nothing does."""
        ...


def new_progress() -> Progress:
    """Return what suits standard error."""
    return _Bar() if sys.stderr.isatty() else _Lines()


class _Bar:
    def __init__(self) -> None:
        self._bar = RichProgress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TaskProgressColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[note]}", markup=False),
            console=Console(stderr=True),
            transient=True,
        )
        self._task = self._bar.add_task("reading", total=None, note="")

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def reading(self, rows: int) -> None:
        self._bar.update(self._task, completed=rows)

    def sending(self, standing: Standing, note: str | None) -> None:
        self._bar.update(
            self._task,
            description="sending" if standing.state == "running" else standing.state,
            total=standing.queued,
            completed=_done(standing),
            note=note or ", ".join(counts(standing, _TOLD)),
        )


class _Lines:
    def __init__(self) -> None:
        self._next_at = time.monotonic() + LINE_EVERY_S
        self._last = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    def reading(self, rows: int) -> None:
        self._say(f"reading: {counted(rows, 'row')}")

    def sending(self, standing: Standing, note: str | None) -> None:
        words = ", ".join(counts(standing, _TOLD))
        line = f"{standing.state}: {_done(standing):,} of {standing.queued:,} done: {words}"
        self._say(line + (f" ({note})" if note else ""))

    def _say(self, line: str) -> None:
        if line != self._last and time.monotonic() >= self._next_at:
            tell(line)
            self._last, self._next_at = line, time.monotonic() + LINE_EVERY_S


def _done(standing: Standing) -> int:
    return standing.queued - standing.pending - standing.in_flight
