"""A worker that kills or stops itself at a named point: `celery -A tests.system.breaking worker`.

`BREAK_AT` names the point, `BREAK_PASSING` says at which passing of it by one worker, `BREAK_WITH` is KILL or STOP,
and `BREAK_MARK` is a file: the first worker that comes to the point so often makes it and breaks; to all others, and
to this one when it goes on, the point means nothing more. `BREAK_MARGIN_S` replaces the ten seconds that an attempt
lives longer than its call, so that a test need not wait for them.
"""

import asyncio
import os
import signal
import threading
import time
from pathlib import Path

import worker.intent
import worker.lines
import worker.sender
import worker.serving
from worker.app import app
from worker.drain import Drain
from worker.line import Line
from worker.sender import Sender
from worker.teller import Teller

__all__ = ["app"]

_AT = os.environ["BREAK_AT"]
_PASSING = int(os.environ["BREAK_PASSING"])
_SIGNAL = signal.Signals[f"SIG{os.environ['BREAK_WITH']}"]
_MARK = Path(os.environ["BREAK_MARK"])
_passed = 0


def _pass(point: str) -> None:
    """Break here if this is the point and the passing."""
    global _passed  # noqa: PLW0603 - one worker a process
    if point != _AT or _MARK.exists():
        return
    _passed += 1
    if _passed < _PASSING:
        return
    draft = _MARK.with_suffix(f".{os.getpid()}")
    draft.write_text(f"{os.getpid()} {time.time()}")
    try:
        os.link(draft, _MARK)  # whole, and once
    except FileExistsError:
        return
    # At this thread: one sent to the process may reach another thread first, and this one runs on for a moment.
    signal.pthread_kill(threading.get_ident(), _SIGNAL)


class BreakingDrain(Drain):
    async def _take(self, lines):
        if lines:
            _pass("before the take")
        return await super()._take(lines)


class BreakingSender(Sender):
    async def write(self, *what):
        _pass("after the take")
        return await super().write(*what)


class BreakingTeller(Teller):
    async def conclude(self, *told):
        _pass("after the answer")
        await super().conclude(*told)

    async def settle_batch(self, *told):
        _pass("before the settling")
        await super().settle_batch(*told)
        _pass("after the settling")

    async def return_batch(self, *told, **more):
        _pass("before the giving back")
        await super().return_batch(*told, **more)


class BreakingLine(Line):
    async def post(self, call, *, timeout_s):
        stream, before = self._stream, self._stream.written_bytes
        posting = asyncio.create_task(super().post(call, timeout_s=timeout_s))
        while stream.written_bytes < before + len(call.content) and not posting.done():  # noqa: ASYNC110 - the instant itself
            await asyncio.sleep(0)
        _pass("after the request")
        return await posting


worker.serving.Drain = BreakingDrain
worker.serving.Sender = BreakingSender
worker.sender.Teller = BreakingTeller
worker.lines.Line = BreakingLine
worker.intent.EXPIRY_MARGIN_S = float(os.environ["BREAK_MARGIN_S"])
