"""ring: a doorbell for an account's lane, so that a worker serves it at once."""

import logging
from collections.abc import Iterable

from kombu.exceptions import OperationalError

from worker.app import app

# The standard library's: in a caller's process nobody has configured ours, and standard output is the caller's.
log = logging.getLogger("bulksend.tasks")


def ring(accounts: Iterable[str]) -> None:
    """Send one Celery message an account. A bell that can not ring is not missed: workers ask within a second."""
    for account in accounts:
        try:
            app.send_task("bulksend.drain", args=[account], retry=False)
        except OperationalError as error:
            log.warning("bell.not_rung account=%s why=%s", account, error)
