"""The process that has the server of one data directory as its child: `python -m worker.embedded_keeper`.

Started by the first user, which passes `server.lock` on to it (see embedded.py). Invariant: the server runs for as long
as somebody uses it, and no second one beside it; it does not outlive its keeper where the kernel can see to that.

Standard library only: it starts fast, and it stays small.
"""

import contextlib
import ctypes
import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType

from worker.embedded_directory import locked, opened, ping

STOP_S = 20.0
"""A server that syncs its last writes to a slow disk needs some."""

_POLL_S = 0.3
_STARTING_POLL_S = 0.02
_TRIES = 3  # deaths before the first answer ever, after which the keeper gives up
_PR_SET_PDEATHSIG = 1


class Keeper:
    """The process that has the server of one directory as its child, for as long as somebody uses it."""

    def __init__(self, directory: Path, path: Path, program: Path, lock_fd: int) -> None:
        self._directory = directory
        self._path = path
        self._program = program
        self._lock_fd = lock_fd
        self._told_to_stop = False
        self._die_with_me = _death_signal()

    def run(self) -> int:
        """Keep a server running until nobody uses it or SIGTERM comes; 1 where none can be got to live."""
        signal.signal(signal.SIGTERM, self._stop)
        try:
            return self._keep_running()
        finally:
            self._path.unlink(missing_ok=True)
            if self._path.parent != self._directory:
                with contextlib.suppress(OSError):
                    self._path.parent.rmdir()

    def _keep_running(self) -> int:
        users = opened(self._directory / "users.lock")
        ever_answered = False
        failures = 0
        wait_s = 0.0
        while self._wanted(users):
            time.sleep(wait_s)
            answered = False
            with self._server() as server:
                while server.poll() is None and self._wanted(users):
                    answered = answered or ping(str(self._path)) == b"+PONG"
                    time.sleep(_POLL_S if answered else _STARTING_POLL_S)
                if server.poll() is None:
                    break
            if answered:
                ever_answered, failures, wait_s = True, 0, 0.0
                continue
            # Killed from outside, as by somebody who saw its first answer sooner, it may well be able to live.
            failures += server.returncode != -signal.SIGKILL
            if not ever_answered and failures == _TRIES:
                return 1
            # One that worked and now can not start, as on a full disk, is tried less and less often while it is wanted.
            wait_s = min(5.0, max(_POLL_S, 2 * wait_s))
        return 0

    def _wanted(self, users: int) -> bool:
        return not self._told_to_stop and not locked(users, fcntl.LOCK_EX)

    def _stop(self, _signal: int, _frame: FrameType | None) -> None:
        self._told_to_stop = True

    @contextlib.contextmanager
    def _server(self) -> Iterator[subprocess.Popen[bytes]]:
        server = subprocess.Popen(
            [self._program, *_options(self._directory, self._path)],
            pass_fds=(self._lock_fd,),
            preexec_fn=self._die_with_me,  # noqa: PLW1509 - this process has one thread
            stdin=subprocess.DEVNULL,
        )
        try:
            yield server
        finally:
            server.terminate()
            try:
                server.wait(STOP_S)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()


def _options(directory: Path, path: Path) -> list[str]:
    return [
        *("--dir", str(directory)),
        *("--logfile", str(directory / "redis.log")),
        *("--port", "0", "--unixsocket", str(path), "--unixsocketperm", "700"),
        # Nothing is sent before its intent is on disk, and nothing is ever evicted.
        *("--appendonly", "yes", "--appendfsync", "always", "--aof-use-rdb-preamble", "yes", "--save", ""),
        *("--maxmemory-policy", "noeviction"),
        *("--daemonize", "no"),
    ]


def _death_signal() -> Callable[[], None] | None:
    """Make the function that, in the server before its exec, asks the kernel for SIGTERM when the keeper dies."""
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None).prctl
    keeper = os.getpid()

    def die_with_keeper() -> None:
        prctl(_PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0)
        if os.getppid() != keeper:  # it died before we asked
            os._exit(1)

    return die_with_keeper


def _keep(directory: str, path: str, program: str, lock_fd: str) -> int:
    os.umask(0o077)
    if os.fork() > 0:
        return 0  # an orphan belongs to the system: no launcher has to wait for it
    return Keeper(Path(directory), Path(path), Path(program), int(lock_fd)).run()


if __name__ == "__main__":
    sys.exit(_keep(*sys.argv[1:]))
