"""Queues the tasks of a usual way: `python -m scripts.bench.usual.queueing batch|single COUNT`."""

import sys
from itertools import islice

from scripts.bench.processes import people
from scripts.bench.usual.tasks import send_batch, send_single
from worker.gateways.exotel_form import BATCH_LIMIT


def main() -> None:
    """Queue so many tasks, each with its recipients in it."""
    kind, count = sys.argv[1], int(sys.argv[2])
    if kind == "batch":
        rows = people(count)
        for _ in range(count):
            send_batch.delay(list(islice(rows, BATCH_LIMIT)))
    else:
        for row in islice(people(-(-count // BATCH_LIMIT)), count):
            send_single.delay(row)


if __name__ == "__main__":
    main()
