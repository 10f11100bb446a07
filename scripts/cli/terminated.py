"""SIGTERM and SIGHUP as an exception: a command that they end unwinds as by Ctrl-C, and leaves nothing behind."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

SIGNALS = (signal.SIGTERM, signal.SIGHUP)


class Terminated(BaseException):
    """SIGTERM or SIGHUP came: as Ctrl-C, but from another program, or because the terminal is gone."""

    def __init__(self, number: int) -> None:
        """Remember which signal: it makes the exit status."""
        super().__init__()
        self.exit_status = 128 + number


@contextmanager
def terminable() -> Iterator[None]:
    """Turn SIGTERM and SIGHUP into `Terminated`; one that is ignored, as under `nohup`, stays so."""

    def stop(number: int, _frame: FrameType | None) -> NoReturn:
        raise Terminated(number)

    before = {number: signal.getsignal(number) for number in SIGNALS}
    heeded = {number: handler for number, handler in before.items() if handler is not signal.SIG_IGN}
    try:
        for number in heeded:
            signal.signal(number, stop)
        yield
    finally:
        for number, handler in heeded.items():
            signal.signal(number, handler)
