"""Where the CPU time of a batch goes in the worker: its loop in a process of its own, looked at by a timer signal.

`python -m scripts.bench.seams ACCOUNT BATCHES` serves the account's lane until it is empty and prints JSON. The signal
counts CPU time, so that waiting does not show; the innermost frame that is one of the seams below gets the sample.
"""

import asyncio
import signal
import sys
import time
from collections import Counter
from pathlib import Path
from types import CodeType, FrameType

import orjson

from config.logging import configure_logging
from config.settings import load_settings
from worker.domain.ids import AccountName
from worker.engine import Engine
from worker.ledger.connection import connect_async
from worker.preload import calm_collector, preload
from worker.roster import Roster
from worker.serving import serve_lane

EVERY_S = 0.001
"""The kernel may look less often, at its own tick."""

OTHERWISE = "event loop"
TOP = 15

_SEAMS = {
    "outcomes.py:pack_outcomes": "pack outcomes",
    "packing.py:unpack": "unpack",
    "content.py:messages": "render",
    "exotel_sms.py:ExotelSms.write": "write call",
    "exotel_sms.py:ExotelSms.read": "read answer",
    "line.py:Line.post": "post",
    "line.py:Line.open": "open line",
    "stream.py:Stream.data_received": "post",
    "leakybucket.py:AsyncLimiter.acquire": "fuse",
    "taking.py:take": "take",
    "settling.py:settle": "settle",
    "settling.py:_back": "give back",
    "seats.py:take_seat": "seat",
    "engine.py:Engine.keep_house": "sweep",
    "drain.py:Drain._pump": "pump",
    "sender.py:Sender.send": "sender",
    "streams.py:StreamReaderProtocol.data_received": "Redis socket",
}


def _place(code: CodeType) -> str:
    return f"{Path(code.co_filename).name}:{code.co_qualname}"


def _starved_s() -> float:
    """Return for how long this thread was ready to run and no core was free; 0 where the system does not tell."""
    try:
        return int(Path("/proc/thread-self/schedstat").read_text(encoding="ascii").split()[1]) / 1e9
    except OSError:
        return 0.0


class Sampler:
    """Counts what the main thread is at, each millisecond of CPU time."""

    def __init__(self) -> None:
        self.seams: Counter[str] = Counter()
        self.leaves: Counter[str] = Counter()

    def look(self, _number: int, frame: FrameType | None) -> None:
        """Take one sample: the signal's handler."""
        if frame is None:
            return
        self.leaves[_place(frame.f_code)] += 1
        at: FrameType | None = frame
        while at is not None:
            seam = _SEAMS.get(_place(at.f_code))
            if seam is not None:
                self.seams[seam] += 1
                return
            at = at.f_back
        self.seams[OTHERWISE] += 1

    def __enter__(self) -> None:
        signal.signal(signal.SIGPROF, self.look)
        signal.setitimer(signal.ITIMER_PROF, EVERY_S, EVERY_S)

    def __exit__(self, *_: object) -> None:
        signal.setitimer(signal.ITIMER_PROF, 0)


async def _serve(account: AccountName) -> None:
    settings = load_settings()
    engine = Engine(
        redis=connect_async(settings.redis_url or ""),
        roster=Roster(settings.accounts_file, settings.jitter_ms / 1000),
        allow_volatile=settings.allow_volatile,
        replicas=settings.replicas,
    )
    house = engine.spawn("keep house", engine.keep_house())
    await serve_lane(engine, account, asyncio.Event())
    engine.stop()
    house.cancel()
    await engine.redis.aclose()


def main() -> None:
    """Serve the lane under the sampler, and print where the time went."""
    account, batches = sys.argv[1:]
    configure_logging(load_settings())
    preload()
    calm_collector()
    sampler = Sampler()
    wall, cpu, starved = time.monotonic(), time.process_time(), _starved_s()
    with sampler:
        asyncio.run(_serve(AccountName(account)))
    cpu, wall, starved = time.process_time() - cpu, time.monotonic() - wall, _starved_s() - starved
    samples = sampler.seams.total()
    document = {
        "batches": int(batches),
        "samples": samples,
        "cpu_ms_per_batch": cpu / int(batches) * 1000,
        "busy_share": cpu / wall,
        "starved_share": starved / wall,
        "shares": {seam: count / samples for seam, count in sampler.seams.most_common()},
        "top_functions": {name: count / samples for name, count in sampler.leaves.most_common(TOP)},
    }
    print(orjson.dumps(document).decode())


if __name__ == "__main__":
    main()
