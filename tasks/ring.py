"""ring: a doorbell for an account's lane, so that a worker serves it at once."""

import logging
from collections.abc import Iterable

from kombu.exceptions import OperationalError

from config.broker import broker_url_for
from config.settings import load_settings
from worker.app import app

# The standard library's: in a caller's process nobody has configured ours, and standard output is the caller's.
log = logging.getLogger("bulksend.tasks")

_ONCE = {"max_retries": 0}
"""One try: whoever enqueues should not wait for a broker that is away. It would be 6 s."""


def ring(accounts: Iterable[str]) -> None:
    """Send one Celery message an account. A bell that can not ring is not missed: workers ask within a second.

    They go where the settings say now, as the ledger does: Celery reads its own options once in a process, and a
    caller's process may have had it do so before it chose a Redis.
    """
    try:
        with app.connection_for_write(broker_url_for(load_settings().messages_url), transport_options=_ONCE) as broker:
            for account in accounts:
                app.send_task("bulksend.drain", args=[account], connection=broker, retry=False)
    except OperationalError as error:
        log.warning("bell.not_rung why=%s", error)
