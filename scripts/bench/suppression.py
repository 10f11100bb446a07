"""suppression: what ten million numbers on the lists take in Redis, and what looking a batch up costs the server.

The cost is the CPU time of the server's main thread (INFO cpu), which grows little when the machine is busy; beside it
the time of the script by the clock (INFO commandstats). A batch has 100 numbers, of which one is on a list, so that
nearly every one is looked for in all of them.
"""

import random
import time
from collections.abc import Iterator
from typing import Any

from scripts.bench.figures import FULL, Figure, Plan, Spread, Target
from scripts.bench.processes import Stage
from worker.domain.suppression import Checks, Reason, Scope, SuppressionList
from worker.ledger.suppression import find_suppressed, remember, suppress

NUMBERS, QUICK_NUMBERS = 10_000_000, 200_000
BATCH = 100
BATCHES = 1_000
ALLOWED_MB = 150
ALLOWED_MS = 1.0
CAP_HOURS = 24
_ON_OTHERS = 100_000
_FIRST = 916_000_000_000
_RANGE = 4_000_000_000
_AT_ONCE = 50_000
_CEILING = Target(bound=1.0, is_floor=False)

_GLOBAL = SuppressionList()
_OTHERS = (
    SuppressionList(kind="account", name="bench"),
    SuppressionList(kind="sender", name="EXOTEL"),
    SuppressionList(scope=Scope.PROMOTIONAL),
    SuppressionList(scope=Scope.PROMOTIONAL, kind="account", name="bench"),
    SuppressionList(scope=Scope.PROMOTIONAL, kind="sender", name="EXOTEL"),
)


def measure(stage: Stage, plan: Plan) -> Iterator[Figure]:
    """Give a figure for memory, and three for the time of a batch: one list, all six, and the frequency cap."""
    size = NUMBERS if plan is FULL else QUICK_NUMBERS
    stage.client.flushdb()
    # The log on disk is not what is measured, and a million writes would be.
    stage.client.config_set("appendfsync", "everysec")
    try:
        yield _filled(stage, size)
        one = Checks(account="", sender="", is_promotional=False)
        yield _looked_up(stage, plan, f"a batch, 1 list of {size:,}", one)
        for of in _OTHERS:
            suppress(stage.client, of, _numbers(_ON_OTHERS, of.place + of.scope), Reason.HAND)
        every = Checks(account="bench", sender="EXOTEL", is_promotional=True)
        yield _looked_up(stage, plan, "a batch, all 6 lists", every)
        stage.client.flushdb()
        for first in range(0, size // 10, _AT_ONCE):
            remember(stage.client, _numbers(min(_AT_ONCE, size // 10 - first), f"sent {first}"), CAP_HOURS)
        capped = Checks(account="", sender="", is_promotional=False, not_before_hours=CAP_HOURS)
        yield _looked_up(stage, plan, f"a batch, cap of {CAP_HOURS} hours", capped)
    finally:
        stage.client.config_set("appendfsync", "always")
        stage.client.flushdb()


def _numbers(count: int, seed: str) -> list[int]:
    draw = random.Random(seed)
    return [_FIRST + draw.randrange(_RANGE) for _ in range(count)]


def _filled(stage: Stage, size: int) -> Figure:
    neighbours = stage.neighbours()
    before, began, added = _used_bytes(stage), time.perf_counter(), 0
    for first in range(0, size, _AT_ONCE):
        added += suppress(stage.client, _GLOBAL, _numbers(min(_AT_ONCE, size - first), f"list {first}"), Reason.DND)
    took_s = time.perf_counter() - began
    grown_mb = (_used_bytes(stage) - before) / 1e6
    return Figure(
        measurement="suppression",
        what=f"memory of {size:,}",
        ratio=Spread(rounds=(grown_mb / ALLOWED_MB,)),
        of=f"{ALLOWED_MB} MB",
        absolute=Spread(rounds=(grown_mb,)),
        unit="MB",
        target=_CEILING,
        facts={
            "numbers": added,
            "bytes a number": round(grown_mb * 1e6 / added, 1),
            "added a second": round(size / took_s),
        },
        others=neighbours.cores(),
    )


def _looked_up(stage: Stage, plan: Plan, what: str, checks: Checks) -> Figure:
    neighbours = stage.neighbours()
    on_list = _numbers(1_000, "list 0")
    rounds, by_clock = [], []
    for number in range(plan.rounds):
        strangers = _numbers(BATCHES * (BATCH - 1), f"strangers {number}")
        stage.client.config_resetstat()
        cpu_s = _cpu_s(stage)
        for i in range(BATCHES):
            batch = [on_list[i % len(on_list)], *strangers[i * (BATCH - 1) : (i + 1) * (BATCH - 1)]]
            find_suppressed(stage.client, checks, batch)
        rounds.append((_cpu_s(stage) - cpu_s) / BATCHES * 1000)
        stats: Any = stage.client.info("commandstats")
        by_clock.append(round(float(stats["cmdstat_evalsha"]["usec_per_call"]) / 1000, 3))
    return Figure(
        measurement="suppression",
        what=what,
        ratio=Spread(rounds=tuple(each / ALLOWED_MS for each in rounds)),
        of=f"{ALLOWED_MS:g} ms",
        absolute=Spread(rounds=tuple(rounds)),
        unit="CPU ms",
        target=_CEILING,
        facts={"ms by the clock": by_clock},
        others=neighbours.cores(),
    )


def _cpu_s(stage: Stage) -> float:
    used: Any = stage.client.info("cpu")
    return float(used["used_cpu_user_main_thread"]) + float(used["used_cpu_sys_main_thread"])


def _used_bytes(stage: Stage) -> int:
    memory: Any = stage.client.info("memory")
    return int(memory["used_memory"])
