"""lanes: a thousand accounts with one batch each beside twenty busy ones, served by two worker processes.

How long each of the thousand waits is counted from the word that lets its campaign go to its call's arrival at the
gateway; how much of their rate the busy ones keep, over the same time.
"""

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from statistics import median, quantiles
from typing import Any

from scripts.bench.figures import Figure, Plan, Spread, Target
from scripts.bench.processes import BODIES, Simulator, Stage, people, wait_for
from tasks import Campaign
from tasks.ring import ring
from worker.domain.ids import CampaignId
from worker.intake.readers import rows_from
from worker.ledger import keys
from worker.ledger.operating import cancel, resume
from worker.producer import produce

QUIET = tuple(f"quiet-{i}" for i in range(1_000))
BUSY = tuple(f"busy-{i}" for i in range(20))
PER_SECOND = 5
PROCESSES = 2
SERVED_S = 30.0
GIVE_UP_S = 2 * SERVED_S
"""Who is not served by then counts with this time, and as unserved."""

AT_LEAST_S = 10.0
"""The busy ones are watched for so long, however soon the thousand are served."""

_WARM_S = 3.0
_BUSY_BATCHES = round(PER_SECOND * (GIVE_UP_S + _WARM_S))
_SERVED = Target(bound=1.0, is_floor=False)
_KEPT = Target(bound=0.95, is_floor=True)
_PATIENCE_S = 60.0
_LOOK_S = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class _Round:
    """`waits_s`: of each of the thousand. `kept`: the share of its rate that each busy account used meanwhile."""

    waits_s: list[float]
    unserved: int
    kept: list[float]
    watched_s: float


def measure(stage: Stage, plan: Plan) -> Iterator[Figure]:
    """Give two figures: the longest wait of the thousand, and the rate of the twenty meanwhile."""
    simulator = stage.simulate("--latency", "20")
    table = {"requests": f"{PER_SECOND}/second", "concurrency": 8}
    stage.accounts(simulator, dict.fromkeys((*BUSY, *QUIET), table))
    for _ in range(PROCESSES):
        stage.start_worker()
    neighbours = stage.neighbours()
    rounds = [_round(stage, simulator, number) for number in range(plan.rounds)]
    others = neighbours.cores()
    yield Figure(
        measurement="lanes",
        what=f"{len(QUIET):,} accounts, the last served",
        ratio=Spread(rounds=tuple(max(one.waits_s) / SERVED_S for one in rounds)),
        of=f"{SERVED_S:g} s",
        absolute=Spread(rounds=tuple(max(one.waits_s) for one in rounds)),
        unit="s",
        target=_SERVED,
        facts={
            "median s": [round(median(one.waits_s), 2) for one in rounds],
            "p99 s": [round(quantiles(one.waits_s, n=100)[-1], 2) for one in rounds],
            f"unserved in {GIVE_UP_S:g} s": [one.unserved for one in rounds],
        },
        others=others,
    )
    yield Figure(
        measurement="lanes",
        what=f"{len(BUSY)} busy ones meanwhile",
        ratio=Spread(rounds=tuple(sum(one.kept) / len(BUSY) for one in rounds)),
        of="allowed rate",
        absolute=Spread(rounds=tuple(sum(one.kept) * PER_SECOND for one in rounds)),
        unit="calls/s",
        target=_KEPT,
        facts={
            "slowest": [round(min(one.kept), 3) for one in rounds],
            "watched s": [round(one.watched_s, 1) for one in rounds],
        },
        others=others,
    )


def _round(stage: Stage, simulator: Simulator, number: int) -> _Round:
    simulator.configure()
    busy = _produce(stage, BUSY, number, _BUSY_BATCHES)
    quiet = _produce(stage, QUIET, number, 1)
    _let_go(stage, busy)
    wait_for(lambda: len(_by_account(simulator, BUSY)) == len(BUSY) or None, "each busy lane has a call", _PATIENCE_S)
    time.sleep(_WARM_S)
    began = time.time()
    let_go_at = _let_go(stage, quiet)
    _wait_until_finished(stage, list(quiet.values()), GIVE_UP_S)
    time.sleep(max(0.0, began + AT_LEAST_S - time.time()))
    arrivals = simulator.arrivals()
    asked_at = time.time()
    for campaign in (*busy.values(), *quiet.values()):
        cancel(stage.client, campaign, "measured")
    served_at = {str(one["sid"]): float(one["at"]) for one in arrivals if one["sid"] in let_go_at}
    # Those who come too late are not waited for; the busy ones are judged while somebody waited, and no longer.
    ended = asked_at if len(served_at) < len(QUIET) else max(began + AT_LEAST_S, *served_at.values())
    calls = Counter(str(one["sid"]) for one in arrivals if began <= one["at"] <= ended)
    return _Round(
        waits_s=[max(0.0, served_at.get(name, asked_at) - let_go_at[name]) for name in QUIET],
        unserved=len(QUIET) - len(served_at),
        kept=[calls[name] / (PER_SECOND * (ended - began)) for name in BUSY],
        watched_s=ended - began,
    )


def _produce(stage: Stage, accounts: Iterable[str], number: int, batches: int) -> dict[str, CampaignId]:
    """Queue one campaign an account, all of them waiting for a word."""
    made = {name: CampaignId(f"lanes-{number}-{name}") for name in accounts}
    for name, campaign_id in made.items():
        campaign = Campaign(name="bench", accounts=(name,), sender="EXOTEL", body=BODIES["static"])
        produce(stage.client, campaign_id, campaign, rows_from(people(batches)), hold="waits for the others")
    return made


def _let_go(stage: Stage, campaigns: Mapping[str, CampaignId]) -> dict[str, float]:
    """Resume the campaigns as the command does, and return when each was."""
    at: dict[str, float] = {}
    for name, campaign in campaigns.items():
        at[name] = time.time()
        resume(stage.client, campaign)
        ring([name])
    return at


def _by_account(simulator: Simulator, names: Iterable[str]) -> set[str]:
    return {str(one["sid"]) for one in simulator.arrivals()} & set(names)


def _wait_until_finished(stage: Stage, campaigns: list[CampaignId], within_s: float) -> None:
    """Return when all are finished, or the time is over. The ledger is asked for one field of those that are not."""
    ends = time.monotonic() + within_s
    while campaigns and time.monotonic() < ends:
        time.sleep(_LOOK_S)
        pipeline = stage.client.pipeline(transaction=False)
        for campaign in campaigns:
            pipeline.hget(keys.campaign(campaign), "state")
        states: list[Any] = pipeline.execute()
        campaigns = [one for one, state in zip(campaigns, states, strict=True) if state != b"finished"]
