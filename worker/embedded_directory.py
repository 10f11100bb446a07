"""What the users, the keeper and the server of one data directory share: its files, their locks, and the socket.

Invariant: all of it is its owner's alone.
"""

import fcntl
import hashlib
import os
import socket
import stat
import tempfile
from pathlib import Path

from config.errors import ConfigError

_SOCKET_PATH_BYTES = 100  # the kernel's limit is 108 on Linux and 104 on macOS, with the final zero
_LOG_TAIL_LINES = 5


def prepared(directory: Path) -> Path:
    """Make the directory if need be and return its real path; raises `OSError` where it can not be used."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    real = directory.resolve(strict=True)
    os.close(opened(real / "redis.log"))
    return real


def opened(path: Path) -> int:
    """Open a file of the directory, made if need be; return its descriptor."""
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)


def locked(fd: int, operation: int) -> bool:
    """Lock the file, shared or exclusive, if that can be had at once; whether it was."""
    try:
        fcntl.flock(fd, operation | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def socket_path(directory: Path) -> Path:
    """Return where the server of the directory listens: in it, or, where its path is too long, in a private one."""
    path = directory / "redis.sock"
    if len(os.fsencode(path)) <= _SOCKET_PATH_BYTES:
        return path
    digest = hashlib.sha256(os.fsencode(directory)).hexdigest()[:16]
    private = Path(tempfile.gettempdir()) / f"bulksend-{os.getuid()}-{digest}"
    if len(os.fsencode(private / path.name)) > _SOCKET_PATH_BYTES:
        private = Path("/tmp") / private.name  # noqa: S108 - made and checked as ours alone, right below
    private.mkdir(mode=0o700, exist_ok=True)
    found = private.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise ConfigError(f"{private} is not a private directory: remove it, or choose a shorter --data path")
    return private / path.name


def ping(path: str) -> bytes:
    """Give the first word of the server's answer to PING; empty where there is none."""
    if not path:
        return b""
    try:
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(1.0)
            client.connect(path)
            client.sendall(b"PING\r\n")
            return client.recv(64).split()[0]
    except (OSError, IndexError):
        return b""


def with_log(directory: Path, what: str) -> str:
    """Return `what` with the end of the server's log under it."""
    log = directory / "redis.log"
    tail = log.read_text(encoding="utf-8", errors="replace").splitlines()[-_LOG_TAIL_LINES:]
    return "\n  ".join([f"{what}; the end of {log}:", *tail])
