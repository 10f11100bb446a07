"""send: messages a second through one worker process, beside a bare asyncio loop that sends the same batches.

Both are timed by the simulator, from the first call's arrival to the last's, in turns: worker, bare, worker, bare.
"""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from scripts.bench.figures import Figure, Plan, Spread, Target
from scripts.bench.machine import process_cpu_s
from scripts.bench.processes import BODIES, ROOT, ProcessFailed, Simulator, Stage
from worker.gateways.exotel_sms import BATCH_LIMIT

BATCHES = 1_500
LINES = (64, 8)
UNTHROTTLED = "100000/second"
TARGET = Target(bound=0.75, is_floor=True)
_PATIENCE_S = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    """One campaign through one sender."""

    messages_per_second: float
    cpu_ms_per_batch: float


def measure(stage: Stage, plan: Plan) -> Iterator[Figure]:
    """Give one figure for each kind of body with 64 calls at once, and one with 8."""
    simulator = stage.simulate()
    stage.accounts(simulator, {f"send-{lines}": {"requests": UNTHROTTLED, "concurrency": lines} for lines in LINES})
    stage.start_worker()
    batches = round(BATCHES * plan.share)
    for lines, kind in ((64, "static"), (64, "dynamic"), (8, "dynamic")):
        neighbours = stage.neighbours()
        pairs = [
            (_worker(stage, simulator, lines, batches, kind), _bare(simulator, lines, batches, kind))
            for _ in range(plan.rounds)
        ]
        yield Figure(
            measurement="send",
            what=f"{kind}, {lines} at once",
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


def _worker(stage: Stage, simulator: Simulator, lines: int, batches: int, kind: str) -> _Run:
    simulator.configure()
    process = stage.workers[0].process
    cpu_s = process_cpu_s(process.pid)
    campaign = stage.enqueue(f"send-{lines}", batches, BODIES[kind])
    stage.finish([campaign], _PATIENCE_S)
    return _run(simulator, batches, process_cpu_s(process.pid) - cpu_s)


def _bare(simulator: Simulator, lines: int, batches: int, kind: str) -> _Run:
    simulator.configure()
    command = [sys.executable, "-m", "scripts.bench.bare", simulator.url, str(lines), str(batches), kind]
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
