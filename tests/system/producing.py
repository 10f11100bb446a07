"""A producer that dies by its own hand: `python -m tests.system.producing FILE ID ROWS [POINT PASSING]`.

It enqueues the campaign FILE under ID with ROWS recipients of `rows`. With a point it kills itself there at the given
passing: `row`, `before append`, `after append`, `before start` or `after start`. With the point `wait` it waits at that
row for a line on standard input, after saying so.
"""

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import worker.producer
from tasks import enqueue

_point, _passing, _passed = "", 0, 0


def rows(count: int) -> Iterator[dict[str, str]]:
    """Made-up recipients: every 50th is invalid, every 50th but one repeats the row before."""
    for i in range(count):
        number = "12" if i % 50 == 49 else f"+9190000{i - (i % 50 == 48):05d}"
        yield {"to": number, "name": f"P{i}"}


def _pass(point: str) -> None:
    global _passed  # noqa: PLW0603 - one producer a process
    if point == _point:
        _passed += 1
        if _passed == _passing:
            os.kill(os.getpid(), signal.SIGKILL)


def _breaking_rows(count: int) -> Iterator[dict[str, str]]:
    for i, row in enumerate(rows(count), 1):
        _pass("row")
        if _point == "wait" and i == _passing:
            print("waiting", flush=True)  # noqa: T201 - to the test
            sys.stdin.readline()
        yield row


def _breaking(step, name):
    def run(*args, **keys):
        _pass(f"before {name}")
        found = step(*args, **keys)
        _pass(f"after {name}")
        return found

    return run


if __name__ == "__main__":
    if len(sys.argv) > 4:
        _point, _passing = sys.argv[4], int(sys.argv[5])
    worker.producer.append = _breaking(worker.producer.append, "append")
    worker.producer.start = _breaking(worker.producer.start, "start")
    enqueue(Path(sys.argv[1]), _breaking_rows(int(sys.argv[3])), id=sys.argv[2])
