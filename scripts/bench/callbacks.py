"""callbacks: how soon the callback service answers a hundred thousand reports, beside a campaign that is being sent.

One process posts over 32 connections, each as fast as it is answered; so the rate is what the service can bear, and
the answer times are those of a service that is never idle.
"""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import quantiles
from urllib.parse import urlsplit

import httpx

from scripts.bench.figures import Figure, Plan, Spread, Target
from scripts.bench.processes import ROOT, ProcessFailed, Stage
from worker.domain.callback_token import callback_url
from worker.domain.ids import AccountName, CampaignId
from worker.ledger import keys
from worker.ledger.operating import cancel

POSTS = 100_000
CONNECTIONS = 32
PER_SECOND = 20
"""Calls of the campaign beside it, 100 messages each."""

ALLOWED_MS = 50.0
_TARGET = Target(bound=1.0, is_floor=False)
_SECRET = "made-up-for-the-bench"  # noqa: S105
_ACCOUNT = AccountName("callbacks")
_CAMPAIGN_S = 300
_OK = b"HTTP/1.1 200 "


@dataclass(frozen=True, slots=True, kw_only=True)
class _Round:
    """One run: what each answer took, how many were not 200, and how many posts the service says it received."""

    took_ms: list[float]
    seconds: float
    refused: int
    received: int


def measure(stage: Stage, plan: Plan) -> Iterator[Figure]:
    """Give one figure: the 99th percentile of the answer time."""
    simulator = stage.simulate("--latency", "20")
    stage.accounts(simulator, {_ACCOUNT: {"requests": f"{PER_SECOND}/second", "concurrency": 16}})
    stage.start_worker()
    beside = stage.enqueue(_ACCOUNT, PER_SECOND * _CAMPAIGN_S)
    neighbours = stage.neighbours()
    rounds = [_run(round(POSTS * plan.share)) for _ in range(plan.rounds)]
    others = neighbours.cores()
    cancel(stage.client, beside, "measured")
    stage.client.delete(keys.REPORTS)
    p99_ms = [_percentile(one.took_ms, 99) for one in rounds]
    yield Figure(
        measurement="callbacks",
        what=f"{round(POSTS * plan.share):,} posts, {CONNECTIONS} connections",
        ratio=Spread(rounds=tuple(one / ALLOWED_MS for one in p99_ms)),
        of=f"{ALLOWED_MS:g} ms, 99th percentile",
        absolute=Spread(rounds=tuple(len(one.took_ms) / one.seconds for one in rounds)),
        unit="posts/s",
        target=_TARGET,
        facts={
            "median ms": [round(_percentile(one.took_ms, 50), 2) for one in rounds],
            "99th percentile ms": [round(one, 2) for one in p99_ms],
            "slowest ms": [round(max(one.took_ms), 1) for one in rounds],
            "received": [one.received for one in rounds],
        },
        others=others,
        refused=sum(one.refused for one in rounds),
    )


def _percentile(took_ms: list[float], percent: int) -> float:
    return quantiles(took_ms, n=100)[percent - 1]


def _run(posts: int) -> _Round:
    """Post so many reports to a fresh service."""
    with _service() as url:
        began = time.perf_counter()
        took_ms, refused = asyncio.run(_post(url, posts))
        seconds = time.perf_counter() - began
        received = _received(url)
    if received != posts - refused:
        raise ProcessFailed(f"{posts - refused} posts were answered with 200 and {received} received")
    return _Round(took_ms=took_ms, seconds=seconds, refused=refused, received=received)


@contextmanager
def _service() -> Iterator[str]:
    """Start `bulksend callbacks` and give its URL."""
    command = [sys.executable, "-m", "scripts.cli", "callbacks", "--port", "0", "--json"]
    environ = os.environ | {"BULKSEND_CALLBACK_SECRET": _SECRET}
    with subprocess.Popen(command, cwd=ROOT, env=environ, stdout=subprocess.PIPE, text=True) as process:
        try:
            said = process.stdout.readline() if process.stdout else ""
            if not said:
                raise ProcessFailed("the callback service does not start")
            yield str(json.loads(said)["listening"])
        finally:
            process.terminate()


def _received(url: str) -> int:
    text = httpx.get(f"{url}/metrics", trust_env=False).raise_for_status().text
    (line,) = (line for line in text.splitlines() if line.startswith('bulksend_report_posts_total{fate="received"}'))
    return int(float(line.split()[-1]))


async def _post(url: str, posts: int) -> tuple[list[float], int]:
    """Return what each answer took, in milliseconds, and how many were not 200."""
    numbers = iter(range(posts))
    took_ms: list[float] = []
    refused = await asyncio.gather(*(_connection(url, numbers, took_ms) for _ in range(CONNECTIONS)))
    return took_ms, sum(refused)


async def _connection(url: str, numbers: Iterator[int], took_ms: list[float]) -> int:
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    refused = 0
    for number in numbers:
        request = _request(url, number)
        began = time.perf_counter()
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")  # an answer has no body
        took_ms.append((time.perf_counter() - began) * 1000)
        refused += not head.startswith(_OK)
        if b"connection: close" in head:
            raise ProcessFailed("the callback service closed a connection of the bench")
    writer.close()
    await writer.wait_closed()
    return refused


def _request(url: str, number: int) -> bytes:
    """Write a report as Exotel posts one; each is of another message, a hundred to a batch."""
    path = callback_url("", _SECRET, _ACCOUNT, CampaignId("bench"), 1 + number // 100)
    body = (
        f"SmsSid={number:032x}&To=0910{number:07d}&Status=sent&SmsUnits=1&DetailedStatus=DELIVERED_TO_HANDSET"
        f"&DetailedStatusCode=20005&DateSent=2026-11-22+17%3A00%3A00&CustomField=bench%3A{1 + number // 100}"
    )
    host = urlsplit(url).netloc
    head = f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode()
