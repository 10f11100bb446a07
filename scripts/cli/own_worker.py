"""A worker of one's own: a process on a leash that lives as long as the command that needs it."""

import os
import secrets
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from scripts.cli import leash
from scripts.cli.failed import CommandFailed

RESTARTS = 3
YOUNG_S = 15.0
_TAIL_LINES = 15


class OwnWorker:
    """`bulksend worker` as a child, with its log in a file; while entered it is started again if it dies.

    `data`: the embedded Redis's directory, where its log goes too; the child uses that Redis in its own right, so that
    it can write what its last calls came to even when its starter is killed.
    """

    def __init__(self, data: Path | None, *, stop_within_s: float) -> None:
        """Start nothing yet."""
        self._data = data
        self._stop_within_s = stop_within_s
        self._log_path = None if data is None else data / "worker.log"
        self._log: BinaryIO
        self._process: subprocess.Popen[bytes] | None = None
        self._restarts = 0
        self._started_at = 0.0

    def __enter__(self) -> Self:
        """Start."""
        self._log = tempfile.TemporaryFile() if self._log_path is None else self._log_path.open("a+b")
        self._start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop, and wait for the calls on the wire; who is interrupted has something to say before `stop`."""
        if kind is None or issubclass(kind, Exception):
            self.stop()
        self._log.close()

    @property
    def is_young(self) -> bool:
        """It may not have said yet that it is there."""
        return time.monotonic() - self._started_at < YOUNG_S

    def check(self) -> None:
        """Start it again if it has died; raises `CommandFailed`, with the end of its log, at the fourth death."""
        if self._process is not None and self._process.poll() is None:
            return
        if self._restarts == RESTARTS:
            raise CommandFailed(f"the worker died {RESTARTS + 1} times; the end of its log:\n{self._tail()}")
        self._restarts += 1
        self._start()

    def stop(self) -> None:
        """Tell it to stop and wait until it has; one that takes longer than its calls may is killed."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(self._stop_within_s)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _start(self) -> None:
        name = f"run-{os.getpid()}-{secrets.token_hex(3)}@%h"
        data = [] if self._data is None else ["--data", str(self._data)]
        self._process = leash.start(
            "scripts.cli",
            ["worker", *data, "--", "--hostname", name, "--without-mingle", "--without-gossip"],
            stdout=self._log,
            stderr=self._log,
            log_level=os.environ.get("BULKSEND_LOG_LEVEL", "WARNING"),
        )
        self._started_at = time.monotonic()

    def _tail(self) -> str:
        self._log.flush()
        self._log.seek(0)
        lines = self._log.read().decode(errors="replace").splitlines()
        return "\n".join(f"  {line}" for line in lines[-_TAIL_LINES:])
