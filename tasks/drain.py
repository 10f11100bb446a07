"""drain: serve one account's lane in this worker, until there is nothing to do.

The Celery message is a doorbell: it may ring never, once or many times. The ledger decides whether this worker is
needed; a drain that is not returns at once.
"""

from worker.app import app
from worker.domain.ids import AccountName
from worker.runtime import current


# Acknowledged when it starts: live workers ask by themselves which lanes wait, and a drain that lasts for hours must
# not come back after the broker's visibility timeout.
@app.task(name="bulksend.drain", acks_late=False)
def drain(account: str) -> None:
    """Take, send and settle for one account; `account` is its name in the accounts file."""
    runtime = current()
    if runtime is not None:
        runtime.serve(AccountName(account))
