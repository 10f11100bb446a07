"""How well calls keep to a ceiling: the share of it that was used, and where the rest went."""

from dataclasses import dataclass
from statistics import median, quantiles
from typing import Any

import redis

from worker.domain.ids import CampaignId
from worker.ledger import keys

_PERCENT = 100


def used_share(arrivals: list[float], per_second: float, skip_s: float) -> float:
    """Return the rate from `skip_s` after the first call to the last, as a share of the allowed one."""
    counted = [at for at in arrivals if at >= arrivals[0] + skip_s]
    return (len(counted) - 1) / (counted[-1] - counted[0]) / per_second


@dataclass(frozen=True, slots=True, kw_only=True)
class Slots:
    """The slots at which a campaign's calls went (seconds since the epoch, ascending), and the lane's spacing."""

    at: tuple[float, ...]
    spacing_s: float

    @property
    def skipped(self) -> int:
        """How many slots between the first and the last went by unused: given back, or never asked for."""
        return sum(round(gap / self.spacing_s - 0.5) - 1 for gap in self._gaps() if gap > 1.5 * self.spacing_s)

    @property
    def late_share(self) -> float:
        """The share of the time in which no slot ran, because the next was asked for too late to follow at once."""
        gaps = self._gaps()
        return sum(gap % self.spacing_s for gap in gaps if gap % self.spacing_s > 1e-4) / max(sum(gaps), 1e-9)  # noqa: PLR2004

    def _gaps(self) -> list[float]:
        # The slots are whole microseconds, the spacing is not: a microsecond more keeps a gap on its own side.
        return [after - before + 2e-6 for before, after in zip(self.at, self.at[1:], strict=False)]


def slots(client: redis.Redis, campaign: CampaignId, spacing_us: float) -> Slots:
    """Read the slots of a finished campaign from the ledger."""
    count: Any = client.hget(keys.campaign(campaign), "batches")
    with client.pipeline(transaction=False) as pipeline:
        for batch in range(int(count) + 1):
            pipeline.hget(keys.batch_state(campaign, batch), "slot")
        found = [float(slot) / 1e6 for slot in pipeline.execute() if slot is not None]
    return Slots(at=tuple(sorted(found)), spacing_s=spacing_us / 1e6)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lateness:
    """How long after their slots calls reached the gateway, in milliseconds."""

    median_ms: float
    p99_ms: float
    most_ms: float


def lateness(slots_at: tuple[float, ...], arrivals: list[float]) -> Lateness:
    """Compare slots with arrivals, each in its own order; both must be of the same calls."""
    late = [(arrival - slot) * 1000 for slot, arrival in zip(slots_at, sorted(arrivals), strict=True)]
    return Lateness(
        median_ms=median(late), p99_ms=quantiles(late, n=_PERCENT, method="inclusive")[-1], most_ms=max(late)
    )
