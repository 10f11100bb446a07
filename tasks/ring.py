"""ring: a doorbell for an account's lane, so that a worker serves it at once."""

from collections.abc import Iterable

import structlog
from kombu.exceptions import OperationalError

from worker.app import app

log = structlog.stdlib.get_logger("bulksend.tasks")


def ring(accounts: Iterable[str]) -> None:
    """Send one Celery message an account. A bell that can not ring is not missed: the sweep rings within a second."""
    for account in accounts:
        try:
            app.send_task("bulksend.drain", args=[account], retry=False)
        except OperationalError as error:
            log.warning("bell.not_rung", account=account, why=str(error))
