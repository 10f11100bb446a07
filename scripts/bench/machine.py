"""The machine on which figures were made, and what else it did meanwhile.

Linux tells through /proc what all processes use; elsewhere that is unknown, and said to be.
"""

import os
import platform
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

_PACKAGES = ("celery", "kombu", "redis", "hiredis", "httpx", "httpcore", "pydantic", "orjson")
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_STAT = Path("/proc/stat")
_IDLE = slice(3, 5)  # idle and iowait, of the numbers of /proc/stat
_OWN = slice(11, 13)  # utime and stime, after the name in /proc/PID/stat
_SYNCS = 20


def facts(directory: Path) -> dict[str, Any]:
    """Return what a reader must know to judge the figures; `directory` is where Redis keeps its data."""
    return {
        "cores": os.cpu_count(),
        "machine": platform.machine(),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "versions": {name: version(name) for name in _PACKAGES},
        "load": list(os.getloadavg()),
        "sync_ms": _sync_ms(directory),
    }


def cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _sync_ms(directory: Path) -> float:
    """Return the median time of an fsync after a small write: what Redis pays for every command that writes."""
    path, took = directory / "sync", []
    with path.open("wb") as file:
        for _ in range(_SYNCS):
            began = time.perf_counter()
            file.write(b"x" * 512)
            file.flush()
            os.fsync(file.fileno())
            took.append(time.perf_counter() - began)
    path.unlink()
    return median(took) * 1000


def process_cpu_s(pid: int) -> float:
    """Return the CPU seconds that a process has used so far; 0 where it is gone or that is unknown."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except OSError:
        return 0.0
    return sum(map(int, fields[_OWN])) / _TICKS_PER_S


def own_cpu_s() -> float:
    """Return the CPU seconds of this process and of its children that have ended."""
    t = os.times()
    return t.user + t.system + t.children_user + t.children_system


class Neighbours:
    """How many cores others use from now on. `ours` gives the CPU seconds of everything that belongs to the run."""

    def __init__(self, ours: Callable[[], float]) -> None:
        self._ours = ours
        self._began = time.monotonic()
        self._busy_s, self._ours_s = _busy_s(), ours()

    def cores(self) -> float | None:
        """Return the mean so far, `None` where the system does not tell."""
        busy_s, took_s = _busy_s(), time.monotonic() - self._began
        if busy_s is None or self._busy_s is None or took_s <= 0:
            return None
        return max(0.0, (busy_s - self._busy_s - (self._ours() - self._ours_s)) / took_s)


def _busy_s() -> float | None:
    try:
        numbers = [int(text) for text in _STAT.read_text(encoding="utf-8").split("\n", 1)[0].split()[1:9]]
    except OSError:
        return None
    return (sum(numbers) - sum(numbers[_IDLE])) / _TICKS_PER_S
