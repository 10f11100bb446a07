"""throttle: how much of an account's ceiling is used, against a gateway that refuses the first call too many.

The gateway counts in a sliding window, strictly, 20 ms away. The share is taken from the arrivals at the gateway.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from config.rate import Rate
from scripts.bench.figures import Figure, Plan, Spread, Target
from scripts.bench.precision import lateness, slots, used_share
from scripts.bench.processes import Simulator, Stage
from scripts.simulator.limiter import worst
from worker.domain.ids import CampaignId
from worker.domain.throttle import spacing_us

LATENCY_MS = 20
PER_SECOND = (10, 50, 200)
PROCESSES = (1, 2, 4)
ROUND_S = 10.0
MINUTE = Rate.parse("50/minute")
MINUTES_S = 120.0
SKIP_S = 1.0
"""The first second is not counted: the first calls of a lane open their connections."""

TARGET = Target(bound=0.97, is_floor=True)
JITTER_S = 0.01
"""The setting's default, which the workers of the bench have."""

_PATIENCE_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Round:
    """What one campaign at one account came to at the gateway."""

    share: float
    per_second: float
    refused: int
    worst: int
    missed: int
    skipped: int
    late_share: float
    late_ms: tuple[float, float, float]


def measure(stage: Stage, plan: Plan) -> Iterator[Figure]:
    """Give one figure for each rate a second and number of workers, then one for 50 a minute."""
    simulator = stage.simulate("--latency", str(LATENCY_MS))
    rates = {f"per-second-{rate}": f"{rate}/second" for rate in PER_SECOND}
    minutes = {f"per-minute-{i}": MINUTE.text for i in range(plan.rounds)}
    stage.accounts(simulator, {name: {"requests": text, "concurrency": 16} for name, text in (rates | minutes).items()})
    for processes in PROCESSES:
        while len(stage.workers) < processes:
            stage.start_worker()
        for name, text in rates.items():
            yield _figure(stage, simulator, [[name]] * plan.rounds, Rate.parse(text), ROUND_S * plan.share)
    # Rounds of two minutes run side by side, each on an account of its own: the gateway counts them apart.
    yield _figure(stage, simulator, [list(minutes)], MINUTE, MINUTES_S * plan.share)


def _figure(stage: Stage, simulator: Simulator, turns: list[list[str]], rate: Rate, length_s: float) -> Figure:
    """Run the turns one after the other, the accounts of a turn side by side."""
    neighbours = stage.neighbours()
    rounds: list[_Round] = []
    for names in turns:
        simulator.configure(limit=f"{round(rate.per_second * rate.window_s)}/{rate.window_s:g}s")
        batches = max(3, round(rate.per_second * length_s))
        campaigns = {name: stage.enqueue(name, batches) for name in names}
        stage.finish(campaigns.values(), length_s * 2 + _PATIENCE_S)
        arrivals = simulator.arrivals()
        rounds += [
            _judge(stage, campaign, [one for one in arrivals if one["sid"] == name], rate)
            for name, campaign in campaigns.items()
        ]
        time.sleep(rate.window_s if rate.window_s <= 1 else 0)  # the next round meets an empty window
    return Figure(
        measurement="throttle",
        what=f"{rate.text}, {len(stage.workers)} worker{'s' if len(stage.workers) > 1 else ''}",
        ratio=Spread(rounds=tuple(one.share for one in rounds)),
        of="allowed rate",
        absolute=Spread(rounds=tuple(one.per_second for one in rounds)),
        unit="calls/s",
        target=TARGET,
        facts=_facts(rounds, rate),
        others=neighbours.cores(),
        refused=sum(one.refused for one in rounds),
    )


def _facts(rounds: list[_Round], rate: Rate) -> dict[str, Any]:
    median_ms, p99_ms, most_ms = (max(one.late_ms[i] for one in rounds) for i in range(3))
    return {
        "worst window": [one.worst for one in rounds],
        "allowed in it": round(rate.per_second * rate.window_s),
        "slots given back": [one.missed for one in rounds],
        "slots unused": [one.skipped for one in rounds],
        "asked late %": [round(100 * one.late_share, 2) for one in rounds],
        "late ms (median p99 max)": [round(median_ms, 1), round(p99_ms, 1), round(most_ms, 1)],
    }


def _judge(stage: Stage, campaign: CampaignId, calls: list[dict[str, Any]], rate: Rate) -> _Round:
    arrived = [float(one["at"]) for one in calls]
    admitted = [float(one["at"]) for one in calls if not one["throttled"]]
    share = used_share(admitted, rate.per_second, SKIP_S)
    planned = slots(stage.client, campaign, spacing_us(rate.per_second, rate.window_s, JITTER_S))
    late = lateness(planned.at, admitted)
    return _Round(
        share=share,
        per_second=share * rate.per_second,
        refused=len(arrived) - len(admitted),
        worst=worst(arrived, rate.window_s),
        missed=stage.events("batch.missed_its_slot", campaign),
        skipped=planned.skipped,
        late_share=planned.late_share,
        late_ms=(late.median_ms, late.p99_ms, late.most_ms),
    )
