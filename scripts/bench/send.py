"""send: messages a second through one worker process, beside a bare asyncio loop that sends the same batches; then two.

All are timed by the simulator, from the first call's arrival to the last's, in turns: worker, bare, worker, bare. Two
workers stand beside one; what they should reach is asked only where two cores were free for them.
"""

import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass

from scripts.bench.figures import Figure, Plan, Spread, Target
from scripts.bench.machine import cores, process_cpu_s
from scripts.bench.processes import BODIES, ROOT, ProcessFailed, Simulator, Stage
from worker.gateways.exotel_form import BATCH_LIMIT

BATCHES = 1_500
LINES = (64, 8)
UNTHROTTLED = "100000/second"
LATENCY_MS = 50
TARGET = Target(bound=0.7, is_floor=True)
TARGET_OF_TWO = Target(bound=1.75, is_floor=True)
TWO = 2
_PATIENCE_S = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    """One campaign through one sender."""

    messages_per_second: float
    cpu_ms_per_batch: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """What is sent, and over what: `lines` calls at once, each answered after `latency_ms`."""

    kind: str
    lines: int
    latency_ms: int

    @property
    def text(self) -> str:
        """Say it in a row of the table."""
        return f"{self.kind}, {self.lines} at once" + (f", {self.latency_ms} ms" if self.latency_ms else "")


_CASES = (
    _Case(kind="static", lines=64, latency_ms=0),
    _Case(kind="dynamic", lines=64, latency_ms=0),
    _Case(kind="dynamic", lines=8, latency_ms=0),
    _Case(kind="dynamic", lines=64, latency_ms=LATENCY_MS),
)
_CASES_OF_TWO = (_CASES[1], _CASES[3])


def measure(stage: Stage, plan: Plan) -> Iterator[Figure]:
    """Give one figure for each case of one worker, then one for each of two."""
    simulator = stage.simulate()
    stage.accounts(simulator, {f"send-{lines}": {"requests": UNTHROTTLED, "concurrency": lines} for lines in LINES})
    batches = round(BATCHES * plan.share)
    stage.start_worker()
    for case in _CASES:
        yield _beside_bare(stage, simulator, case, batches, plan.rounds)
    for case in _CASES_OF_TWO:
        yield _beside_one(stage, simulator, case, batches, plan.rounds)


def _beside_bare(stage: Stage, simulator: Simulator, case: _Case, batches: int, rounds: int) -> Figure:
    neighbours = stage.neighbours()
    pairs = [(_workers(stage, simulator, case, batches), _bare(simulator, case, batches)) for _ in range(rounds)]
    return Figure(
        measurement="send",
        what=case.text,
        ratio=Spread(rounds=tuple(w.messages_per_second / b.messages_per_second for w, b in pairs)),
        of="bare loop",
        absolute=Spread(rounds=tuple(w.messages_per_second for w, _ in pairs)),
        unit="messages/s",
        target=TARGET,
        facts={
            "bare messages/s": Spread(rounds=tuple(b.messages_per_second for _, b in pairs)).text(0),
            "worker CPU ms/batch": Spread(rounds=tuple(w.cpu_ms_per_batch for w, _ in pairs)).text(2),
            "bare CPU ms/batch": Spread(rounds=tuple(b.cpu_ms_per_batch for _, b in pairs)).text(2),
        },
        others=neighbours.cores(),
    )


def _beside_one(stage: Stage, simulator: Simulator, case: _Case, batches: int, rounds: int) -> Figure:
    neighbours = stage.neighbours()
    pairs, free = [], []
    for _ in range(rounds):
        while len(stage.workers) < TWO:
            stage.start_worker()
        began, cpu_s = time.monotonic(), stage.cpu_s() - _workers_cpu_s(stage)
        two = _workers(stage, simulator, case, TWO * batches)
        # Redis, the gateway and the bench have cores of their own only where there are enough.
        beside_s = stage.cpu_s() - _workers_cpu_s(stage) - cpu_s
        free.append(cores() - beside_s / (time.monotonic() - began))
        stage.workers.pop().stop()
        pairs.append((two, _workers(stage, simulator, case, batches)))
    others = neighbours.cores() or 0.0
    are_free = min(free) - others >= TWO
    return Figure(
        measurement="send",
        what=f"{case.text}, two workers",
        ratio=Spread(rounds=tuple(two.messages_per_second / one.messages_per_second for two, one in pairs)),
        of="one worker",
        absolute=Spread(rounds=tuple(two.messages_per_second for two, _ in pairs)),
        unit="messages/s",
        target=TARGET_OF_TWO if are_free else None,
        facts={
            "one worker messages/s": Spread(rounds=tuple(one.messages_per_second for _, one in pairs)).text(0),
            "cores free for the two": f"{max(0.0, min(free) - others):.2f}"
            + ("" if are_free else f" of {cores()}: too few to ask for {TARGET_OF_TWO.text}"),
        },
        others=others,
    )


def _workers(stage: Stage, simulator: Simulator, case: _Case, batches: int) -> _Run:
    """Send one campaign through the workers that are there."""
    simulator.configure(latency_ms=case.latency_ms)
    cpu_s = _workers_cpu_s(stage)
    campaign = stage.enqueue(f"send-{case.lines}", batches, BODIES[case.kind])
    stage.finish([campaign], _PATIENCE_S)
    return _run(simulator, batches, _workers_cpu_s(stage) - cpu_s)


def _workers_cpu_s(stage: Stage) -> float:
    return sum(process_cpu_s(worker.process.pid) for worker in stage.workers)


def _bare(simulator: Simulator, case: _Case, batches: int) -> _Run:
    simulator.configure(latency_ms=case.latency_ms)
    command = [sys.executable, "-m", "scripts.bench.bare", simulator.url, str(case.lines), str(batches), case.kind]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, timeout=_PATIENCE_S, check=False)
    if done.returncode:
        raise ProcessFailed("the bare loop failed")
    return _run(simulator, batches, float(done.stdout))


def _run(simulator: Simulator, batches: int, cpu_s: float) -> _Run:
    arrivals = [float(one["at"]) for one in simulator.arrivals()]
    if len(arrivals) != batches:
        raise ProcessFailed(f"{len(arrivals)} calls arrived for {batches} batches")
    per_second = (batches - 1) / (arrivals[-1] - arrivals[0])
    return _Run(messages_per_second=per_second * BATCH_LIMIT, cpu_ms_per_batch=cpu_s / batches * 1000)
