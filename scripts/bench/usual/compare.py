"""usual: messages a second beside the usual ways of Celery, with as many processes of each as there are cores.

All are timed by the simulator, from the first call's arrival to the last's: neither our production nor the queueing of
their tasks counts. Theirs are queued before their worker starts, so that nothing disturbs it.
"""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from scripts.bench.figures import Figure, Plan, Spread, Target
from scripts.bench.machine import cores
from scripts.bench.processes import ROOT, ProcessFailed, Simulator, Stage, wait_for
from scripts.bench.recipients import BODY
from scripts.bench.send import UNTHROTTLED
from scripts.bench.usual import URL_VARIABLE
from worker.gateways.exotel_form import BATCH_LIMIT

ACCOUNT = "usual"
LATENCIES_MS = (0, 50)
BATCHES = 1_500
USUAL_BATCHES = {0: 1_000, 50: 400}
SINGLES = {0: 6_000, 50: 1_500}
"""How many tasks: some ten seconds of each."""

MOST_PROCESSES = 4
"""More of them would measure the simulator, which is one process."""

_OF_BATCHES = Target(bound=4.0, is_floor=True)
_OF_SINGLES = Target(bound=50.0, is_floor=True)
_PATIENCE_S = 300.0
_STOP_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Way:
    """One usual way: its name in the table, the kind of its tasks, and what is asked of ours beside it."""

    name: str
    kind: Literal["batch", "single"]
    counts: dict[int, int]
    messages_each: int
    target: Target


WAYS = (
    _Way(
        name="a task a batch",
        kind="batch",
        counts=USUAL_BATCHES,
        messages_each=BATCH_LIMIT,
        target=_OF_BATCHES,
    ),
    _Way(name="a task a recipient", kind="single", counts=SINGLES, messages_each=1, target=_OF_SINGLES),
)


def measure(stage: Stage, plan: Plan) -> Iterator[Figure]:
    """Give a figure for each latency and usual way."""
    simulator = stage.simulate()
    os.environ[URL_VARIABLE] = f"{simulator.url}/v1/Accounts/usual/Sms"
    stage.accounts(simulator, {ACCOUNT: {"requests": UNTHROTTLED, "concurrency": 64}})
    processes = min(cores(), MOST_PROCESSES)
    for latency_ms in LATENCIES_MS:
        for way in WAYS:
            count = max(processes * 20, round(way.counts[latency_ms] * plan.share))
            neighbours = stage.neighbours()
            pairs = [
                (
                    _ours(stage, simulator, latency_ms, processes, round(BATCHES * plan.share)),
                    _theirs(stage, simulator, latency_ms, processes, way, count),
                )
                for _ in range(plan.rounds)
            ]
            yield Figure(
                measurement="usual",
                what=f"{latency_ms} ms, {processes} processes each",
                ratio=Spread(rounds=tuple(ours / theirs for ours, theirs in pairs)),
                of=way.name,
                absolute=Spread(rounds=tuple(ours for ours, _ in pairs)),
                unit="messages/s",
                target=way.target,
                facts={f"{way.name} messages/s": Spread(rounds=tuple(theirs for _, theirs in pairs)).text(0)},
                others=neighbours.cores(),
            )


def _ours(stage: Stage, simulator: Simulator, latency_ms: int, processes: int, batches: int) -> float:
    simulator.configure(latency_ms=latency_ms)
    while len(stage.workers) < processes:
        stage.start_worker()
    stage.finish([stage.enqueue(ACCOUNT, batches, BODY)], _PATIENCE_S)
    while stage.workers:
        stage.workers.pop().stop()  # the cores are the other's now
    return _calls_per_second(simulator, batches) * BATCH_LIMIT


def _theirs(stage: Stage, simulator: Simulator, latency_ms: int, processes: int, way: _Way, count: int) -> float:
    simulator.configure(latency_ms=latency_ms)
    queueing = [sys.executable, "-m", "scripts.bench.usual.queueing", way.kind, str(count)]
    subprocess.run(queueing, cwd=ROOT, timeout=_PATIENCE_S, check=True)
    command = [sys.executable, "-m", "celery", "-A", "scripts.bench.usual.tasks", "worker"]
    log = stage.directory / f"usual-{time.time():.0f}.log"
    with log.open("wb") as stderr:
        worker = subprocess.Popen(
            [*command, "--pool", "prefork", "--concurrency", str(processes), "-n", "usual@bench", "-l", "warning"],
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            stderr=stderr,
        )
    try:
        wait_for(lambda: simulator.stats()["requests"] >= count or None, f"{count} calls by {way.name}", _PATIENCE_S)
    finally:
        worker.terminate()
        try:
            worker.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            worker.kill()
            worker.wait()
    stage.client.flushdb()  # its results are kept for a day, and would be counted again
    return _calls_per_second(simulator, count) * way.messages_each


def _calls_per_second(simulator: Simulator, calls: int) -> float:
    arrivals = [float(one["at"]) for one in simulator.arrivals()]
    if len(arrivals) != calls:
        raise ProcessFailed(f"{len(arrivals)} calls arrived, {calls} were expected")
    return (calls - 1) / (arrivals[-1] - arrivals[0])
