"""growth: what a message, a look and a report cost in a small campaign and in a large one.

The cost of a message is the CPU time of the worker process: it grows with what the worker does, and not with what
else the machine does meanwhile.
"""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import orjson
import redis

from scripts.bench.figures import Figure, Plan, Spread, Target
from scripts.bench.machine import process_cpu_s
from scripts.bench.processes import ROOT, ProcessFailed, Simulator, Stage
from scripts.bench.produce import produce_file
from scripts.bench.recipients import write_recipients
from scripts.bench.send import UNTHROTTLED
from tasks.ring import ring
from worker.domain.ids import CampaignId
from worker.ledger.connection import connect
from worker.ledger.operating import resume
from worker.ledger.reading import newest_first, standings

ACCOUNT = "growth"
SMALL, MIDDLE, LARGE = 10_000, 100_000, 1_000_000
SIZES = (SMALL, MIDDLE, LARGE)
_IN_A_ROW = {SMALL: 5, MIDDLE: 1, LARGE: 1}
"""So many campaigns of a size are one measurement: the CPU time is told in hundredths of a second."""

LOOKS = 300
_DATABASES = {SMALL: 1, LARGE: 2}
"""Where one campaign of a size is alone: `list` shows all that there are."""

_EVEN = Target(bound=1.15, is_floor=False)
_FLAT = Target(bound=1.15, is_floor=False)
_PATIENCE_S = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Report:
    """What `scripts.bench.reporting` told of itself."""

    seconds: float
    peak_bytes: int


def measure(stage: Stage, plan: Plan) -> Iterator[Figure]:
    """Give figures for the cost of a message, of `status` and `list`, and of a report."""
    simulator = stage.simulate()
    stage.accounts(simulator, {ACCOUNT: {"requests": UNTHROTTLED, "concurrency": 64}})
    for size in SIZES:
        write_recipients(_file(stage, size), size)
    yield from _looked(stage, plan)
    stage.start_worker()
    _cost_us(stage, simulator, SMALL)  # the first calls of a process are dearer than all others
    neighbours = stage.neighbours()
    costs = [_costs_us(stage, simulator) for _ in range(plan.rounds)]
    yield Figure(
        measurement="growth",
        what="cost of a message",
        ratio=Spread(rounds=tuple(max(each.values()) / min(each.values()) for each in costs)),
        of="the cheapest size",
        absolute=Spread(rounds=tuple(each[LARGE] for each in costs)),
        unit="CPU us/message",
        target=_EVEN,
        facts={f"us at {size:,}": [round(each[size], 1) for each in costs] for size in SIZES},
        others=neighbours.cores(),
    )
    yield from _reported(stage, plan)


def _file(stage: Stage, size: int) -> Path:
    return stage.directory / f"recipients-{size}.csv"


def _campaign(size: int, number: int) -> CampaignId:
    return CampaignId(f"growth-{size}-{number}")


def _costs_us(stage: Stage, simulator: Simulator) -> dict[int, float]:
    """Return the worker's CPU microseconds a message for each size; the last round's campaigns stay in the ledger."""
    stage.client.flushdb()
    return {size: _cost_us(stage, simulator, size) for size in SIZES}


def _cost_us(stage: Stage, simulator: Simulator, size: int) -> float:
    simulator.configure()
    campaigns = [_campaign(size, number) for number in range(_IN_A_ROW[size])]
    for campaign in campaigns:
        produce_file(_file(stage, size), campaign, ACCOUNT, stage.url)
    pid = stage.workers[0].process.pid
    cpu_s = process_cpu_s(pid)
    for campaign in campaigns:
        resume(stage.client, campaign)
    ring([ACCOUNT])
    stage.finish(campaigns, _PATIENCE_S)
    return (process_cpu_s(pid) - cpu_s) / (size * len(campaigns)) * 1e6


def _looked(stage: Stage, plan: Plan) -> Iterator[Figure]:
    """Time `status` and `list` beside one campaign of each size, as the commands ask the ledger, in turns."""
    neighbours = stage.neighbours()
    with ExitStack() as held:
        clients: dict[int, redis.Redis] = {}
        for size, database in _DATABASES.items():
            url = f"{stage.url.partition('?')[0]}?db={database}"
            clients[size] = held.enter_context(connect(url))
            produce_file(_file(stage, size), _campaign(size, 0), ACCOUNT, url)
        looks = {
            "status": lambda size: standings(clients[size], [_campaign(size, 0)]),
            "list": lambda size: standings(clients[size], newest_first(clients[size])),
        }
        for name, look in looks.items():
            rounds = [_medians_us(look) for _ in range(plan.rounds)]
            yield Figure(
                measurement="growth",
                what=f"{name} at {LARGE:,}",
                ratio=Spread(rounds=tuple(each[LARGE] / each[SMALL] for each in rounds)),
                of=f"at {SMALL:,}",
                absolute=Spread(rounds=tuple(each[LARGE] for each in rounds)),
                unit="us",
                target=_EVEN,
                facts={},
                others=neighbours.cores(),
            )
        for client in clients.values():
            client.flushdb()


def _medians_us(look: Callable[[int], object]) -> dict[int, float]:
    took: dict[int, list[float]] = {size: [] for size in _DATABASES}
    for _ in range(LOOKS):
        for size, times in took.items():
            began = time.perf_counter()
            look(size)
            times.append(time.perf_counter() - began)
    return {size: median(times) * 1e6 for size, times in took.items()}


def _reported(stage: Stage, plan: Plan) -> Iterator[Figure]:
    """Report the campaigns of the last round, all of their messages sent."""
    neighbours = stage.neighbours()
    rounds = [{size: _report(stage, size) for size in (MIDDLE, LARGE)} for _ in range(plan.rounds)]
    others = neighbours.cores()
    speeds = [{size: size / told.seconds for size, told in each.items()} for each in rounds]
    yield Figure(
        measurement="growth",
        what=f"report of {LARGE:,}",
        ratio=Spread(rounds=tuple(each[LARGE] / each[MIDDLE] for each in speeds)),
        of=f"at {MIDDLE:,}",
        absolute=Spread(rounds=tuple(each[LARGE] for each in speeds)),
        unit="rows/s",
        target=None,
        facts={},
        others=others,
    )
    yield Figure(
        measurement="growth",
        what=f"report's memory, {LARGE:,}",
        ratio=Spread(rounds=tuple(each[LARGE].peak_bytes / each[MIDDLE].peak_bytes for each in rounds)),
        of=f"at {MIDDLE:,}",
        absolute=Spread(rounds=tuple(each[LARGE].peak_bytes / 1e6 for each in rounds)),
        unit="MB at most",
        target=_FLAT,
        facts={},
        others=None,
    )


def _report(stage: Stage, size: int) -> _Report:
    path = stage.directory / "report.csv"
    command = [sys.executable, "-m", "scripts.bench.reporting", _campaign(size, 0), str(path)]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, timeout=_PATIENCE_S, check=False)
    if done.returncode:
        raise ProcessFailed(f"the report of {size:,} failed")
    with path.open("rb") as file:
        lines = sum(1 for _ in file)
    if lines != size + 1:
        raise ProcessFailed(f"the report of {size:,} has {lines:,} lines")
    path.unlink()
    return _Report(**orjson.loads(done.stdout))
