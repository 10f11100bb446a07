"""Following a campaign by looking at it: until it ends, or until whoever looks too has seen enough."""

import time
from collections.abc import Callable

from scripts.cli.ledger import Ledger
from scripts.cli.progress import Progress
from worker.ledger.errors import LedgerUnavailable
from worker.ledger.reading import ENDED, Standing

LOOK_EVERY_S = 0.2
AWAY_S = 30.0
"""A Redis that restarts is waited for so long."""


def follow(
    ledger: Ledger,
    campaign_id: str,
    progress: Progress,
    *,
    check: Callable[[Standing], str | None] = lambda standing: standing.reason,
) -> Standing:
    """Look until the campaign is finished or cancelled and return how it stands then.

    `check` sees every look before the last; it returns why nothing goes, if nothing does, or raises to end the
    looking. Raises `LedgerUnavailable` where Redis stays away, and `ConfigError` where the campaign is gone.
    """
    seen_at = time.monotonic()
    while True:
        try:
            standing = ledger.standing(campaign_id)
        except LedgerUnavailable:
            if time.monotonic() - seen_at > AWAY_S:
                raise
        else:
            seen_at = time.monotonic()
            if standing.state in ENDED:
                progress.sending(standing, None)
                return standing
            progress.sending(standing, check(standing))
        time.sleep(LOOK_EVERY_S)
