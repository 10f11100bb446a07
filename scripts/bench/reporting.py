"""One report in a process of its own: `python -m scripts.bench.reporting ID FILE`.

It is the command `report` with its file; printed are the seconds it took and the process's peak memory, as JSON.
"""

import sys
import time

import orjson

from scripts.bench.memory import peak_bytes
from scripts.cli.application import main as command


def main() -> None:
    """Write the report, and print what it took."""
    campaign, path = sys.argv[1:]
    began = time.perf_counter()
    if code := command(["report", campaign, "--out", path]):
        sys.exit(code)
    print(orjson.dumps({"seconds": time.perf_counter() - began, "peak_bytes": peak_bytes()}).decode())


if __name__ == "__main__":
    main()
