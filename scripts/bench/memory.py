"""The most memory that this process ever had resident."""

import resource
import sys
from pathlib import Path

_STATUS = Path("/proc/self/status")
_KIB = 1024


def peak_bytes() -> int:
    """Return the peak of the resident memory, in bytes, since the process's program began."""
    try:
        lines = _STATUS.read_text(encoding="ascii").splitlines()
    except OSError:
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return most if sys.platform == "darwin" else most * _KIB
    # Not getrusage where there is better: on Linux its peak counts what stood in the process before the program.
    return next(int(line.split()[1]) * _KIB for line in lines if line.startswith("VmHWM:"))
