"""receive: apply what gateways reported, all that is waiting, in this worker.

The Celery message is a doorbell, rung by the callback service and by the sweep while anything waits. One thread of a
process applies at a time; processes share the stream.
"""

import threading

import structlog

from config.accounts import load_accounts
from config.settings import load_settings
from worker.app import app
from worker.applying import apply_waiting
from worker.ledger.connection import connect
from worker.runtime import current

log = structlog.stdlib.get_logger("bulksend.worker")

_applying = threading.Lock()


@app.task(name="bulksend.receive", acks_late=False)
def receive() -> None:
    """Apply delivery reports until none is left, or Redis is away: then the next bell goes on."""
    runtime = current()
    if runtime is None or not _applying.acquire(blocking=False):
        return
    try:
        settings = load_settings()
        accounts = load_accounts(settings.accounts_file)
        with connect(settings.redis_url or "") as client:
            applied = apply_waiting(client, accounts, runtime.node, remember_hours=settings.remember_hours)
    finally:
        _applying.release()
    if applied.bodies:
        log.info(
            "reports.applied", bodies=applied.bodies, matched=applied.matched, unmatched=applied.unmatched,
            unreadable=applied.unreadable,
        )  # fmt: skip
