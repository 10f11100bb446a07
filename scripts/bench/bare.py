"""The yardstick of `send`: the same batches over the same lines by a plain asyncio loop, without ledger and Celery.

It builds each batch from rows in memory (with the plainest of templates, `str.format`), writes the call, posts it and
reads the answer. A process of its own, as the worker is: `python -m scripts.bench.bare URL LINES BATCHES
static|dynamic`. It prints the CPU seconds that it used while it sent.
"""

import asyncio
import sys
import time
from itertools import islice

from scripts.bench.processes import BODIES, ProcessFailed, people
from worker.domain.answers import Answer, PerMessage
from worker.domain.batch import Message, Outgoing
from worker.gateways.exotel_form import BATCH_LIMIT
from worker.gateways.exotel_sms import ExotelSms
from worker.line import Line
from worker.preload import preload

TIMEOUT_S = 5.0


Rows = list[dict[str, str]]


def build(number: int, rows: Rows, body: str) -> Outgoing:
    """Fill in the text for each row of a batch."""
    messages = tuple([Message(to=int(row["to"][1:]), body=body.format(**row)) for row in rows])
    return Outgoing(reference=f"bare:{number}", sender="EXOTEL", options={}, messages=messages)


async def _send_all(url: str, lines: int, batches: list[Rows], body: str) -> None:
    gateway = ExotelSms(url, "bare", "sim-key", "sim-token", "any")
    waiting = iter(enumerate(batches))

    async def one_line() -> None:
        line = Line(gateway.origin)
        for number, rows in waiting:
            await line.open()
            outgoing = build(number, rows, body)
            answer = await line.post(gateway.write(outgoing), timeout_s=TIMEOUT_S)
            if not isinstance(answer, Answer) or not isinstance(gateway.read(answer, outgoing), PerMessage):
                raise ProcessFailed(f"the simulator did not accept a batch: {answer}")
        await line.close()

    await asyncio.gather(*(one_line() for _ in range(lines)))


def main() -> None:
    """Send, and print the CPU seconds it took."""
    url, lines, batches, kind = sys.argv[1:]
    preload()
    rows = people(int(batches))
    ready = [list(islice(rows, BATCH_LIMIT)) for _ in range(int(batches))]
    began = time.process_time()
    asyncio.run(_send_all(url, int(lines), ready, BODIES[kind]))
    print(time.process_time() - began)


if __name__ == "__main__":
    main()
