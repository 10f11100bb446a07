"""The usual way to send in bulk with Celery: a task that posts and returns, prefork processes, results in Redis.

Written as its documentation has it, and not to lose: one kept-alive session a process, no retries, JSON, the same
gateway, credentials and texts as ours. It keeps no record from before the call, no throttle and no campaign.
"""

import os
from typing import Any, cast

import requests
from celery import Celery

from config.broker import broker_url_for
from scripts.bench.recipients import BODY
from scripts.bench.usual import URL_VARIABLE

TIMEOUT_S = 5.0
KEY, TOKEN = "sim-key", "sim-token"
Row = dict[str, str]

_redis_url = broker_url_for(os.environ.get("BULKSEND_REDIS_URL"))
app = Celery("usual", broker=_redis_url, backend=_redis_url)
app.conf.update(task_default_queue="usual", broker_connection_retry_on_startup=True)

_session = requests.Session()
"""One a process: a forked child opens its own connections at its first call."""

_session.auth = (KEY, TOKEN)


@app.task(name="usual.batch")  # type: ignore[untyped-decorator]  # Celery has no types
def send_batch(rows: list[Row]) -> list[dict[str, Any]]:
    """Post up to a hundred messages as one call; return what became of each."""
    form: list[tuple[str, str]] = [("From", "EXOTEL")]
    for place, row in enumerate(rows):
        form += [(f"Messages[{place}][To]", row["to"]), (f"Messages[{place}][Body]", BODY.format(**row))]
    return _entries(_post("bulksend.json", form))


@app.task(name="usual.single")  # type: ignore[untyped-decorator]  # Celery has no types
def send_single(row: Row) -> list[dict[str, Any]]:
    """Post one message; return what became of it."""
    return _entries(_post("send.json", [("From", "EXOTEL"), ("To", row["to"]), ("Body", BODY.format(**row))]))


def _post(name: str, form: list[tuple[str, str]]) -> object:
    answer = _session.post(f"{os.environ[URL_VARIABLE]}/{name}", data=form, timeout=TIMEOUT_S)
    answer.raise_for_status()
    return answer.json()


def _entries(document: object) -> list[dict[str, Any]]:
    found = document if isinstance(document, list) else [document]
    messages = [cast(dict[str, Any], entry)["SMSMessage"] for entry in found]
    return [{"sid": one["Sid"], "status": one["Status"], "code": one["DetailedStatusCode"]} for one in messages]
