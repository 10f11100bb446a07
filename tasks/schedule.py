"""schedule: do what is due for one schedule, in this worker.

The Celery message is a doorbell, sent by Celery beat at the due time, and by any worker when nobody has answered. It
carries the schedule's name alone: which due time there is to run, the ledger and the clock decide. One production at a
time in a process: others wait, or another worker takes them.
"""

import threading

import structlog

from config.errors import ConfigError
from config.settings import load_settings
from tasks.recurring import Runner
from worker.app import app
from worker.beat_entries import TASK
from worker.ledger.connection import connect
from worker.ledger.errors import LedgerError
from worker.runtime import current

log = structlog.stdlib.get_logger("bulksend.worker")

_producing = threading.Lock()


# Acknowledged when it starts: a production may last longer than the broker's visibility timeout, and what a killed
# worker leaves, the ledger tells another.
@app.task(name=TASK, acks_late=False)
def schedule(name: str) -> None:
    """Run, continue or pass over what is due; `name` is the schedule's."""
    runtime = current()
    if runtime is None:
        return
    settings = load_settings()
    with _producing, connect(settings.redis_url or "") as client:
        try:
            Runner(client=client, settings=settings, is_stopping=lambda: runtime.is_stopping).answer(name)
        except (LedgerError, ConfigError) as error:
            log.warning("schedule.put_off", schedule=name, why=str(error))
