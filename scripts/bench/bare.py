"""The yardstick of `send`: the same batches over the same lines by a plain asyncio loop, without ledger and Celery.

A process of its own, as the worker is: `python -m scripts.bench.bare URL LINES BATCHES static|dynamic`. It prints the
CPU seconds that it used while it sent.
"""

import asyncio
import sys
import time
from collections.abc import Iterator
from itertools import islice

from scripts.bench.processes import BODIES, ProcessFailed, people
from worker.domain.answers import Answer, PerMessage
from worker.domain.batch import Message, Outgoing
from worker.gateways.exotel_form import BATCH_LIMIT
from worker.gateways.exotel_sms import ExotelSms
from worker.line import Line
from worker.preload import preload

TIMEOUT_S = 5.0


def outgoing(batches: int, kind: str) -> Iterator[Outgoing]:
    """Give the batches of a campaign, rendered."""
    rows, body = people(batches), BODIES[kind]
    for number in range(batches):
        messages = tuple(Message(to=int(row["to"][1:]), body=body.format(**row)) for row in islice(rows, BATCH_LIMIT))
        yield Outgoing(reference=f"bare:{number}", sender="EXOTEL", options={}, messages=messages)


async def _send_all(url: str, lines: int, ready: list[Outgoing]) -> None:
    gateway = ExotelSms(url, "bare", "sim-key", "sim-token", "any")
    waiting = iter(ready)

    async def one_line() -> None:
        line = Line(gateway.origin)
        for each in waiting:
            await line.open()
            answer = await line.post(gateway.write(each), timeout_s=TIMEOUT_S)
            if not isinstance(answer, Answer) or not isinstance(gateway.read(answer, each), PerMessage):
                raise ProcessFailed(f"the simulator did not accept a batch: {answer}")
        await line.close()

    await asyncio.gather(*(one_line() for _ in range(lines)))


def main() -> None:
    """Send, and print the CPU seconds it took."""
    url, lines, batches, kind = sys.argv[1:]
    preload()
    ready = list(outgoing(int(batches), kind))
    began = time.process_time()
    asyncio.run(_send_all(url, int(lines), ready))
    print(time.process_time() - began)


if __name__ == "__main__":
    main()
