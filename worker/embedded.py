"""A Redis of one's own for `run`, `demo` and the tests: one server per data directory, shared by all who use it.

Two locks in the directory, both of the kernel's (`flock`), say everything; whoever is killed, at any instruction,
leaves them as if it had let go:

- `users.lock`, shared: held by each process for as long as it uses the server.
- `server.lock`, exclusive: held by the keeper *and* by the server, so no second server can start on the directory
  while either lives. Its text is the path of the server's socket.

Whoever starts first gets `server.lock` and passes it on, still locked, to the keeper: a small process in a session
of its own (`python -m worker.embedded_keeper`) that has the server as its child. The keeper tries every 0.3 s to get
`users.lock` for itself alone. Once it does, nobody uses the server, nobody can begin to, and it shuts it down.
The server dies with its keeper (Linux; elsewhere it outlives a killed keeper until it is stopped by hand).

Standard library only: the keeper starts fast, and it stays small.
"""

import fcntl
import os
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

from config.errors import ConfigError
from worker.embedded_directory import locked, opened, ping, prepared, socket_path, with_log
from worker.embedded_keeper import STOP_S
from worker.embedded_program import find_server

_READY_S = 20.0  # a server answers 0.1 s after its start; one that loads its data says so and is waited for


class EmbeddedError(Exception):
    """The embedded Redis did not start, or did not answer; the text has the end of its log."""


class EmbeddedRedis:
    """One process's use of the Redis of `directory`, which starts for the first user and stops after the last.

    The server keeps its data there (AOF, synced with each write) and comes back with it. A use ends with `stop` or
    with the process, however that dies; a forked child that does not exec shares its parent's use.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._use: int | None = None
        self._url = ""

    def start(self) -> str:
        """Begin to use the server, starting it if need be, and return its URL (`unix:///PATH?db=0`) once it answers.

        A second call returns the same URL. `ConfigError`: the directory can not be used, or there is no server
        program. `EmbeddedError`: the server does not start.
        """
        if self._use is None:
            try:
                self._begin(prepared(self._directory))
            except OSError as error:
                raise ConfigError(f"{self._directory} can not be used for data: {error.strerror}") from None
        return self._url

    def stop(self) -> None:
        """End this use; without another user the server is gone a moment later. Without a use it does nothing."""
        if self._use is not None:
            os.close(self._use)
            self._use = None

    def _begin(self, directory: Path) -> None:
        use = _users_lock(directory)
        try:
            self._url = f"unix://{quote(_running_socket(directory))}?db=0"
        except BaseException:
            os.close(use)
            raise
        self._use = use

    def __enter__(self) -> Self:
        """Start."""
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop."""
        self.stop()


def _users_lock(directory: Path) -> int:
    # Not to be had only while a keeper, which found nobody, shuts its server down.
    fd = opened(directory / "users.lock")
    give_up_at = time.monotonic() + STOP_S + _READY_S
    while not locked(fd, fcntl.LOCK_SH):
        if time.monotonic() > give_up_at:
            os.close(fd)
            raise EmbeddedError(with_log(directory, "the embedded Redis that was here before does not stop"))
        time.sleep(0.01)
    return fd


def _running_socket(directory: Path) -> str:
    """Wait until a server answers on the directory and return its socket; start one if nobody else has."""
    lock = directory / "server.lock"
    started = False
    give_up_at = time.monotonic() + _READY_S
    while time.monotonic() < give_up_at:
        fd = opened(lock)
        try:
            if locked(fd, fcntl.LOCK_EX):
                if started:
                    break  # the keeper let go: its server did not start
                _start_keeper(directory, fd)
                started = True
        finally:
            os.close(fd)
        path = lock.read_text(encoding="utf-8")
        answer = ping(path)
        if answer == b"+PONG":
            return path
        if answer == b"-LOADING":
            give_up_at = time.monotonic() + _READY_S
        time.sleep(0.01)
    raise EmbeddedError(with_log(directory, "the embedded Redis does not start"))


def _start_keeper(directory: Path, lock_fd: int) -> None:
    """Start the keeper of `directory`, which takes over the locked `lock_fd`; the caller closes its own copy."""
    program = find_server()
    path = socket_path(directory)
    os.ftruncate(lock_fd, 0)
    os.write(lock_fd, os.fsencode(path))
    with (directory / "redis.log").open("ab") as log:
        subprocess.run(
            # -P: a folder named `worker` where the user stands must not be taken for ours.
            [sys.executable, "-P", "-m", "worker.embedded_keeper", *map(str, (directory, path, program, lock_fd))],
            pass_fds=(lock_fd,),
            start_new_session=True,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd="/",
            check=False,  # what went wrong stands in the log, and that the lock is free again
        )
