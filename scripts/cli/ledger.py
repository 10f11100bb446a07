"""Which Redis a command works on: `--data DIR` (embedded), else BULKSEND_REDIS_URL, else the command's own default.

Whichever it is, BULKSEND_REDIS_URL names it while the command runs, for Celery and for the worker that it starts.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import redis

from config.errors import ConfigError
from config.settings import NO_REDIS, load_settings
from scripts.cli.words import exact
from worker.domain.ids import CampaignId
from worker.embedded import EmbeddedRedis
from worker.intake.suggestions import did_you_mean
from worker.ledger.connection import connect
from worker.ledger.reading import Standing, newest_first, standings

DEFAULT_DATA = Path(".bulksend")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """The ledger of one Redis. `data`: the embedded one's directory, `None` where it runs by itself."""

    client: redis.Redis
    url: str
    data: Path | None

    def command(self, *parts: str) -> str:
        """Return the exact command that does something on this ledger, ready for a shell."""
        return exact(*parts, *(("--data", str(self.data)) if self.data is not None else ()))

    def standing(self, campaign_id: str) -> Standing:
        """Return where a campaign stands; raises `ConfigError` where there is none of this id."""
        found = standings(self.client, [CampaignId(campaign_id)])
        if not found:
            near = did_you_mean(campaign_id, newest_first(self.client))
            raise ConfigError(f"there is no campaign {campaign_id}{near}")
        return found[0]


@contextmanager
def open_ledger(data: Path | None, *, default: Path | None = None) -> Iterator[Ledger]:
    """Open the ledger for one command; an embedded server runs at least as long as this is entered."""
    url = load_settings().redis_url if data is None else None
    if url is not None:
        with connect(url) as client:
            yield Ledger(client=client, url=url, data=None)
        return
    directory = data or default
    if directory is None:
        raise ConfigError(NO_REDIS)
    with EmbeddedRedis(directory) as server:
        url = os.environ["BULKSEND_REDIS_URL"] = server.start()
        with connect(url) as client:
            yield Ledger(client=client, url=url, data=directory)
