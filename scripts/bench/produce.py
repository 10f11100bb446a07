"""produce: rows a second, the producer's memory, and what recipients take in Redis while they wait and after.

Each production is a process of its own, timed from the opening of the file to the last row in the ledger; beside it a
process that only reads the same file with csv.reader.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from scripts.bench.figures import Figure, Plan, Spread, Target
from scripts.bench.processes import ROOT, ProcessFailed, Stage
from scripts.bench.recipients import BODY, write_recipients
from scripts.bench.send import UNTHROTTLED
from worker.domain.ids import CampaignId
from worker.ledger import keys
from worker.ledger.operating import resume

ACCOUNT = "produce"
SIZES = (10_000, 100_000, 1_000_000)
SENT = 100_000
"""So many are sent through a worker to see what a settled recipient takes: the same for each, so a million is ten."""

ROWS_PER_SECOND = 150_000
PRODUCER_MB = 70
PENDING_MB = 30
SETTLED_MB = 60
_FLOOR = Target(bound=1.0, is_floor=True)
_CEILING = Target(bound=1.0, is_floor=False)
_PATIENCE_S = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What one process of `scripts.bench.producing` told of itself."""

    seconds: float
    cpu_s: float
    peak_bytes: int

    @classmethod
    def of(cls, *arguments: str, redis_url: str) -> "Run":
        """Run it to its end, on this Redis."""
        command = [sys.executable, "-m", "scripts.bench.producing", *arguments]
        environ = os.environ | {"BULKSEND_REDIS_URL": redis_url}
        done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, timeout=_PATIENCE_S, check=False, env=environ)
        if done.returncode:
            raise ProcessFailed(f"a production failed: {' '.join(arguments)}")
        return cls(**orjson.loads(done.stdout))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Round:
    """One production beside one reading. `redis_bytes`: by how much the server's memory grew, all rows pending."""

    produced: Run
    read: Run
    redis_bytes: int


def measure(stage: Stage, plan: Plan) -> Iterator[Figure]:
    """Give a figure for each size, one for the reader alone, and three for memory."""
    simulator = stage.simulate()
    stage.accounts(simulator, {ACCOUNT: {"requests": UNTHROTTLED, "concurrency": 64}})
    rounds: dict[int, list[_Round]] = {}
    for size in SIZES:
        path = stage.directory / f"recipients-{size}.csv"
        write_recipients(path, size)
        neighbours = stage.neighbours()
        rounds[size] = [_round(stage, path) for _ in range(plan.rounds)]
        yield _speed(size, rounds[size], neighbours.cores())
    least, most = (rounds[size] for size in (SIZES[0], SIZES[-1]))
    yield Figure(
        measurement="produce",
        what=f"{SIZES[-1]:,} rows",
        ratio=Spread(rounds=tuple(one.read.seconds / one.produced.seconds for one in most)),
        of="csv.reader alone",
        absolute=Spread(rounds=tuple(SIZES[-1] / one.read.seconds for one in most)),
        unit="rows/s read",
        target=None,
        facts={},
        others=None,
    )
    growth = [
        (b.produced.peak_bytes - a.produced.peak_bytes) / (SIZES[-1] - SIZES[0])
        for a, b in zip(least, most, strict=True)
    ]
    peaks = {f"peak MB at {size:,}": [round(r.produced.peak_bytes / 1e6, 1) for r in rounds[size]] for size in SIZES}
    yield _memory("producer, each million more", growth, PRODUCER_MB, peaks)
    pending = {f"MB at {size:,}": [round(one.redis_bytes / 1e6, 2) for one in rounds[size]] for size in SIZES}
    yield _memory("Redis, a million pending", [r.redis_bytes / SIZES[-1] for r in most], PENDING_MB, pending)
    stage.client.flushdb()
    stage.start_worker()
    settled = [_settled_bytes(stage, number) / SENT for number in range(plan.rounds)]
    yield _memory("Redis, a million settled", settled, SETTLED_MB, {"seen at": f"{SENT:,}"})


def produce_file(path: Path, campaign: CampaignId, account: str, redis_url: str) -> Run:
    """Queue a file of recipients; the campaign waits for a word."""
    return Run.of(str(path), campaign, BODY, account, redis_url=redis_url)


def _round(stage: Stage, path: Path) -> _Round:
    stage.client.flushdb()
    before = _used_bytes(stage)
    produced = produce_file(path, CampaignId("produce"), ACCOUNT, stage.url)
    after = _used_bytes(stage)
    return _Round(produced=produced, read=Run.of(str(path), redis_url=stage.url), redis_bytes=after - before)


def _settled_bytes(stage: Stage, number: int) -> int:
    before = _used_bytes(stage)
    campaign = CampaignId(f"settled-{number}")
    produce_file(stage.directory / f"recipients-{SENT}.csv", campaign, ACCOUNT, stage.url)
    resume(stage.client, campaign)
    stage.finish([campaign], _PATIENCE_S)
    left: Any = stage.client.exists(keys.queue(campaign))
    if left:
        raise ProcessFailed(f"{campaign} is finished and has a queue")
    return _used_bytes(stage) - before


def _used_bytes(stage: Stage) -> int:
    memory: Any = stage.client.info("memory")
    return int(memory["used_memory"])


def _speed(size: int, rounds: list[_Round], others: float | None) -> Figure:
    per_second = [size / one.produced.seconds for one in rounds]
    return Figure(
        measurement="produce",
        what=f"{size:,} rows",
        ratio=Spread(rounds=tuple(each / ROWS_PER_SECOND for each in per_second)),
        of=f"{ROWS_PER_SECOND:,}/s",
        absolute=Spread(rounds=tuple(per_second)),
        unit="rows/s",
        target=_FLOOR,
        facts={
            "rows a CPU second": [round(size / one.produced.cpu_s) for one in rounds],
            "csv.reader rows/s": [round(size / one.read.seconds) for one in rounds],
        },
        others=others,
    )


def _memory(what: str, bytes_each: list[float], allowed_mb: int, facts: dict[str, Any]) -> Figure:
    """Tell of bytes a recipient, which are megabytes a million."""
    return Figure(
        measurement="produce",
        what=what,
        ratio=Spread(rounds=tuple(each / allowed_mb for each in bytes_each)),
        of=f"{allowed_mb} MB",
        absolute=Spread(rounds=tuple(bytes_each)),
        unit="MB/million",
        target=_CEILING,
        facts=facts,
        others=None,
    )
