"""A Redis of one's own for `run`, `demo` and the tests: one server per data directory, shared by all who use it.

Two locks in the directory, both of the kernel's (`flock`), say everything; whoever is killed, at any instruction,
leaves them as if it had let go:

- `users.lock`, shared: held by each process for as long as it uses the server.
- `server.lock`, exclusive: held by the keeper *and* by the server, so no second server can start on the directory
  while either lives. Its text is the path of the server's socket.

Whoever starts first gets `server.lock` and passes it on, still locked, to the keeper: a small process in a session
of its own (`python -m worker.embedded`) that has the server as its child. The keeper tries every 0.3 s to get
`users.lock` for itself alone. Once it does, nobody uses the server, nobody can begin to, and it shuts it down.
The server dies with its keeper (Linux; elsewhere it outlives a killed keeper until it is stopped by hand).

Standard library only: the keeper starts fast, and it stays small.
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
from types import FrameType, TracebackType
from typing import Self
from urllib.parse import quote

from config.errors import ConfigError
from worker.embedded_directory import locked, opened, ping, prepared, socket_path, with_log
from worker.embedded_program import find_server

_POLL_S = 0.3
_READY_S = 20.0  # a server answers 0.1 s after its start; one that loads its data says so and is waited for
_STOP_S = 20.0  # a server that syncs its last writes to a slow disk needs some
_STARTING_POLL_S = 0.02
_TRIES = 3  # deaths before the first answer ever, after which the keeper gives up
_PR_SET_PDEATHSIG = 1


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
    give_up_at = time.monotonic() + _STOP_S + _READY_S
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
            [sys.executable, "-P", "-m", "worker.embedded", str(directory), str(path), str(program), str(lock_fd)],
            pass_fds=(lock_fd,),
            start_new_session=True,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd="/",
            check=False,  # what went wrong stands in the log, and that the lock is free again
        )


class _Keeper:
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
            failures += 1
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
                server.wait(_STOP_S)
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
    return _Keeper(Path(directory), Path(path), Path(program), int(lock_fd)).run()


if __name__ == "__main__":
    sys.exit(_keep(*sys.argv[1:]))
