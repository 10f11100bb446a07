"""Batch attempts as Flower sees them: tasks named `bulksend.batch`, told in Celery's own event protocol.

An attempt's task is `STARTED` while its call is on the wire, then `SUCCESS` (the gateway answered for each message),
`RETRY` (the batch went back) or `FAILURE` (unconfirmed). Its id is the attempt's; its arguments are ids and counts.

Invariant: showing never costs sending. The loop only puts notes into a bounded queue; a thread of its own takes them
to the broker, and drops them while the broker is away or slow. What Flower shows is a picture, never the record.
"""

import queue
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import structlog
from celery import Celery
from celery.events import EventDispatcher
from kombu.exceptions import OperationalError

from worker.domain.answers import Accepted, MessageAnswer, Rejected, Unconfirmed, Untaken
from worker.domain.ids import AccountName, AttemptId, CampaignId

log = structlog.stdlib.get_logger("bulksend.worker")

NAME = "bulksend.batch"

SHOWN_PER_SECOND = 30
"""Attempts that a process shows in full; of more only the first of each second: Flower keeps 5 KB for each."""

MOST_WAITING = 1000
"""Notes in the queue; more are dropped."""

MOST_OPEN = 4096
"""Attempts remembered as begun; past that the oldest is forgotten and never shown as ended."""

GATHER_S = 0.2
"""Notes of so long go in one message: a fifth of the cost at a high rate, and nobody looks faster."""

STOP_S = 2.0
"""How long a stopping process waits for the last notes to be told."""

_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 1.0, 30.0
_LONGEST_WORDS = 300
_NUMBER = re.compile(r"\+?\d(?:[ ().-]?\d){6,}")

Ending = Literal["succeeded", "retried", "failed"]


class Undelivered(Exception):
    """The broker did not take the notes."""


@dataclass(frozen=True, slots=True)
class Note:
    """One event: Celery's type (`task-started`) and fields."""

    kind: str
    fields: Mapping[str, Any]


class Postman(Protocol):
    """Takes notes to the broker; `Undelivered` where it can not."""

    def deliver(self, notes: Sequence[Note]) -> None:
        """Send the notes, in order."""

    def close(self) -> None:
        """Let the connection go."""


class CeleryPostman:
    """A connection of its own to Celery's broker; opened at once, `Undelivered` where it can not be."""

    def __init__(self, app: Celery, node: str) -> None:
        """Connect as the worker `node`, under whose name Flower lists the tasks."""
        self._connection = app.connection_for_write()
        self._errors = (
            OSError,
            OperationalError,
            *self._connection.connection_errors,
            *self._connection.channel_errors,
        )
        try:
            channel = self._connection.ensure_connection(max_retries=1, interval_start=0).channel()
        except self._errors as error:
            self.close()
            raise Undelivered(str(error)) from error
        self._dispatcher = EventDispatcher(
            channel=channel,
            hostname=node,
            app=app,
            buffer_while_offline=False,
            buffer_group=frozenset({"task"}),
            buffer_limit=MOST_WAITING * 3,
        )

    def deliver(self, notes: Sequence[Note]) -> None:
        """Send the notes in one message."""
        try:
            for note in notes:
                self._dispatcher.send(note.kind, **note.fields)
            self._dispatcher.flush()
        except self._errors as error:
            raise Undelivered(str(error)) from error

    def close(self) -> None:
        """Let the connection go."""
        with suppress(*self._errors):
            self._connection.release()


def counted(outcomes: Sequence[MessageAnswer]) -> str:
    """Return how many came to what, as in "98 accepted, 2 rejected", and why of the first that has no outcome."""
    kinds = Counter(map(type, outcomes))
    named = {Accepted: "accepted", Rejected: "rejected", Unconfirmed: "unconfirmed", Untaken: "not taken"}
    words = [f"{kinds[kind]} {name}" for kind, name in named.items() if kinds[kind]]
    why = next((f": {outcome.reason}" for outcome in outcomes if isinstance(outcome, Unconfirmed | Untaken)), "")
    return ", ".join(words) + why


class Unwatched:
    """Nobody looks: no attempt is shown."""

    def started(
        self, attempt: AttemptId, campaign: CampaignId, batch: int, account: AccountName, messages: int
    ) -> None:
        """Show nothing."""

    def ended(self, attempt: AttemptId, kind: Ending, words: str) -> None:
        """Show nothing."""


@dataclass(slots=True, kw_only=True)
class _Open:
    """An attempt that is shown and has not ended: what each of its events repeats, and when it began."""

    fields: Mapping[str, Any]
    began_at: float


@dataclass(slots=True)
class BatchEvents:
    """Shows the attempts of one process. `started` and `ended` are the loop's and never wait; the rest is the thread's.

    `connect` makes a postman, or raises `Undelivered`; it is called in the thread, again after each failure.
    """

    connect: Callable[[], Postman]
    monotonic: Callable[[], float] = time.monotonic
    now: Callable[[], float] = time.time
    _waiting: queue.Queue[Note | None] = field(default_factory=lambda: queue.Queue(MOST_WAITING))
    _open: dict[AttemptId, _Open] = field(default_factory=dict)
    _second: int = 0
    _shown: int = 0
    _ending: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        """Start the thread."""
        self._thread = threading.Thread(target=self._carry, name="bulksend-events", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Tell what waits, for at most `STOP_S`, and end the thread."""
        if self._thread is None:
            return
        self._ending.set()
        with suppress(queue.Full):
            self._waiting.put(None, timeout=STOP_S)
        self._thread.join(STOP_S)

    def started(
        self, attempt: AttemptId, campaign: CampaignId, batch: int, account: AccountName, messages: int
    ) -> None:
        """Show that an attempt goes on the wire, unless this second has shown enough of them."""
        began_at = self.monotonic()
        if int(began_at) != self._second:
            self._second, self._shown = int(began_at), 0
        if self._shown >= SHOWN_PER_SECOND:
            return
        # Flower reads the text as Python and can be searched by it: kwargs:campaign=c1
        arguments = {"campaign": campaign, "batch": batch, "account": account, "messages": messages}
        fields = {"uuid": attempt, "name": NAME, "args": "()", "kwargs": repr(arguments), "retries": 0}
        for step in ("sent", "received", "started"):  # without `received` Flower's list has no time to sort by
            if not self._note(f"task-{step}", fields):
                return
        self._shown += 1
        self._open[attempt] = _Open(fields=fields, began_at=began_at)
        if len(self._open) > MOST_OPEN:
            del self._open[next(iter(self._open))]

    def ended(self, attempt: AttemptId, kind: Ending, words: str) -> None:
        """Show what an attempt came to: outcome counts, or why; what looks like a phone number in `words` is cut out.

        An attempt that was not shown when it started is not shown now.
        """
        opened = self._open.pop(attempt, None)
        if opened is None:
            return
        told = _NUMBER.sub("[number]", words)[:_LONGEST_WORDS]
        # Each event repeats the fields: Flower may have come later than the start.
        if kind == "succeeded":
            more = {"result": told, "runtime": self.monotonic() - opened.began_at}
        else:
            more = {"exception": told, "traceback": ""}
        self._note(f"task-{kind}", {**opened.fields, **more})

    def _note(self, kind: str, fields: Mapping[str, Any]) -> bool:
        try:
            self._waiting.put_nowait(Note(kind, {**fields, "timestamp": self.now()}))
        except queue.Full:
            return False
        return True

    def _carry(self) -> None:
        postman: Postman | None = None
        pause_s, quiet_until = _FIRST_PAUSE_S, 0.0
        # The first round only connects: that keeps the interpreter busy for longer than a slot may wait.
        notes: list[Note] = []
        is_last = False
        while True:
            if self.monotonic() >= quiet_until:
                try:
                    postman = postman or self.connect()
                    if notes:
                        postman.deliver(notes)
                    pause_s = _FIRST_PAUSE_S
                except Undelivered as error:
                    log.warning("events.undelivered", notes=len(notes), pause_s=pause_s, why=str(error))
                    if postman is not None:
                        postman.close()
                    postman, quiet_until = None, self.monotonic() + pause_s
                    pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
            if is_last:
                break
            notes, is_last = self._gathered()
        if postman is not None:
            postman.close()

    def _gathered(self) -> tuple[list[Note], bool]:
        """Wait for a note, and `GATHER_S` for others; whether they are the last."""
        notes = [self._waiting.get()]
        self._ending.wait(GATHER_S)
        with suppress(queue.Empty):
            while True:
                notes.append(self._waiting.get_nowait())
        return [note for note in notes if note is not None], None in notes
