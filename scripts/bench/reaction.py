"""reaction: how soon a word of the operator's, and the loss of a worker, are felt at the gateway.

The ratio is the measured time to the time allowed for it.
"""

import time
from collections.abc import Callable, Iterator
from itertools import pairwise

from scripts.bench.figures import Figure, Plan, Spread, Target
from scripts.bench.processes import Simulator, Stage, wait_for
from tasks.ring import ring
from worker.ledger.operating import cancel, pause, resume

ACCOUNT = "reaction"
PER_SECOND = 50
BATCHES = 2_000
"""More than any round sends: it is cancelled at its end."""

FIRST_CALL_S = 1.0
LAST_CALL_S = 0.5
TAKEN_OVER_S = 7.0
_SETTLED_S = 1.0
_GAP_S = 0.5
_WITHIN = Target(bound=1.0, is_floor=False)
_PATIENCE_S = 30.0


def measure(stage: Stage, plan: Plan) -> Iterator[Figure]:
    """Give four figures: enqueue and resume to the first call, pause to the last, a killed worker to the next call."""
    simulator = stage.simulate("--latency", "20")
    stage.accounts(simulator, {ACCOUNT: {"requests": f"{PER_SECOND}/second", "concurrency": 16}})
    for _ in range(2):
        stage.start_worker()
    neighbours = stage.neighbours()
    words = [_pause_and_resume(stage, simulator) for _ in range(plan.rounds)]
    others = neighbours.cores()
    yield _figure("enqueue to first call", [one[0] for one in words], FIRST_CALL_S, others)
    yield _figure("pause to last call", [one[1] for one in words], LAST_CALL_S, others)
    yield _figure("resume to first call", [one[2] for one in words], FIRST_CALL_S, others)
    neighbours = stage.neighbours()
    kills = [_kill(stage, simulator) for _ in range(plan.rounds)]
    yield _figure("worker killed to next call", kills, TAKEN_OVER_S, neighbours.cores())


def _figure(what: str, seconds: list[float], allowed_s: float, others: float | None) -> Figure:
    return Figure(
        measurement="reaction",
        what=what,
        ratio=Spread(rounds=tuple(one / allowed_s for one in seconds)),
        of=f"{allowed_s:g} s",
        absolute=Spread(rounds=tuple(seconds)),
        unit="s",
        target=_WITHIN,
        facts={},
        others=others,
    )


def _pause_and_resume(stage: Stage, simulator: Simulator) -> tuple[float, float, float]:
    """Return the seconds from enqueue (called) to first call, pause to last call, resume to first call."""
    simulator.configure()
    enqueued_at = time.time()
    campaign = stage.enqueue(ACCOUNT, BATCHES // 100)
    first = _first_after(simulator, enqueued_at)
    long = stage.enqueue(ACCOUNT, BATCHES)
    stage.finish([campaign], _PATIENCE_S)
    _first_after(simulator, time.time())
    paused_at = time.time()
    pause(stage.client, long, "measured")
    time.sleep(_SETTLED_S)
    last = max(at for at in _arrivals(simulator) if at <= paused_at + _SETTLED_S)
    resumed_at = time.time()
    resume(stage.client, long)
    ring([ACCOUNT])
    again = _first_after(simulator, resumed_at)
    cancel(stage.client, long, "measured")
    wait_for(_is_quiet(simulator), "calls end after a cancel", _PATIENCE_S)
    return first - enqueued_at, max(0.0, last - paused_at), again - resumed_at


def _kill(stage: Stage, simulator: Simulator) -> float:
    """Return the seconds from the kill of the serving worker to the first call after the silence."""
    simulator.configure()
    campaign = stage.enqueue(ACCOUNT, BATCHES)
    _first_after(simulator, time.time())
    worker = stage.serving(ACCOUNT)
    killed_at = time.time()
    worker.kill()
    stage.workers.remove(worker)
    # What the killed one had put on the wire may still arrive; the call looked for is the one after a silence.
    after = wait_for(
        lambda: next((b for a, b in pairwise(_arrivals(simulator)) if b > killed_at and b - a > _GAP_S), None),
        "another worker serves the lane",
        _PATIENCE_S,
    )
    cancel(stage.client, campaign, "measured")
    wait_for(_is_quiet(simulator), "calls end after a cancel", _PATIENCE_S)
    stage.start_worker()
    return after - killed_at


def _arrivals(simulator: Simulator) -> list[float]:
    return [float(one["at"]) for one in simulator.arrivals()]


def _first_after(simulator: Simulator, instant: float) -> float:
    return wait_for(
        lambda: next((at for at in _arrivals(simulator) if at > instant), None), "a call arrives", _PATIENCE_S
    )


def _is_quiet(simulator: Simulator) -> Callable[[], bool | None]:
    """Look whether the last call is a while ago."""
    return lambda: time.time() - max(_arrivals(simulator)) > _GAP_S or None
