"""callbacks: how soon the callback service answers a hundred thousand reports, beside a campaign that is being sent.

Each report is about a message of its own, one in ten is posted twice, and in the end each message must have exactly one
delivery: none is lost, and none is counted twice. One process posts over 32 connections, each as fast as it is
answered; so the rate is what the service can bear, and the answer times are those of a service that is never idle.
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
from scripts.bench.processes import ROOT, ProcessFailed, Stage, national, wait_for
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
_SENT_BY = AccountName("sent-by")
_CAMPAIGN_S = 300
_OK = b"HTTP/1.1 200 "


@dataclass(frozen=True, slots=True, kw_only=True)
class _Round:
    """One run: what each answer took, how many were not 200, and how many posts the service says it received.

    `applied_s` is how long after the last post all of them were applied.
    """

    took_ms: list[float]
    seconds: float
    refused: int
    received: int
    applied_s: float


def measure(stage: Stage, plan: Plan) -> Iterator[Figure]:
    """Give one figure: the 99th percentile of the answer time."""
    simulator = stage.simulate("--latency", "20")
    slow = {"requests": f"{PER_SECOND}/second", "concurrency": 16}
    stage.accounts(simulator, {_ACCOUNT: slow, _SENT_BY: {"requests": "10000/second", "concurrency": 64}})
    stage.start_worker()
    messages = round(POSTS * plan.share)
    sent = [stage.enqueue(_SENT_BY, messages // 100) for _ in range(plan.rounds)]
    stage.finish(sent, _CAMPAIGN_S)
    beside = stage.enqueue(_ACCOUNT, PER_SECOND * _CAMPAIGN_S)
    neighbours = stage.neighbours()
    rounds = [_run(stage, campaign, messages) for campaign in sent]
    others = neighbours.cores()
    cancel(stage.client, beside, "measured")
    p99_ms = [_percentile(one.took_ms, 99) for one in rounds]
    yield Figure(
        measurement="callbacks",
        what=f"{len(rounds[0].took_ms):,} posts, {CONNECTIONS} connections",
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
            "messages delivered, each once": [messages for _ in rounds],
            "applied s after the last post": [round(one.applied_s, 1) for one in rounds],
        },
        others=others,
        refused=sum(one.refused for one in rounds),
    )


def _percentile(took_ms: list[float], percent: int) -> float:
    return quantiles(took_ms, n=100)[percent - 1]


def _run(stage: Stage, campaign: CampaignId, messages: int) -> _Round:
    """Post a report about each message of a campaign to a fresh service, one in ten twice, and wait until all count."""
    posts = [message for message in range(messages) for _ in range(2 if message % 10 == 0 else 1)]
    with _service() as url:
        began = time.perf_counter()
        took_ms, refused = asyncio.run(_post(url, campaign, posts))
        seconds = time.perf_counter() - began
        received = _received(url)
    if received != len(posts) - refused:
        raise ProcessFailed(f"{len(posts) - refused} posts were answered with 200 and {received} received")
    began = time.perf_counter()
    wait_for(lambda: None if stage.client.xlen(keys.REPORTS) else True, "all reports are applied", _CAMPAIGN_S)
    applied_s = time.perf_counter() - began
    standing = stage.standing(campaign)
    if not refused and (standing.delivered, standing.unmatched) != (messages, 0):
        raise ProcessFailed(f"{messages} messages were reported delivered and {standing.delivered} count so")
    return _Round(took_ms=took_ms, seconds=seconds, refused=refused, received=received, applied_s=applied_s)


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


async def _post(url: str, campaign: CampaignId, posts: list[int]) -> tuple[list[float], int]:
    """Return what each answer took, in milliseconds, and how many were not 200."""
    messages = iter(posts)
    took_ms: list[float] = []
    refused = await asyncio.gather(*(_connection(url, campaign, messages, took_ms) for _ in range(CONNECTIONS)))
    return took_ms, sum(refused)


async def _connection(url: str, campaign: CampaignId, messages: Iterator[int], took_ms: list[float]) -> int:
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    refused = 0
    for message in messages:
        request = _request(url, campaign, message)
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


def _request(url: str, campaign: CampaignId, message: int) -> bytes:
    """Write a report as Exotel posts one, about a message of the campaign from 0 on; a hundred are a batch."""
    batch = 1 + message // 100
    path = callback_url("", _SECRET, _SENT_BY, campaign, batch)
    body = (
        f"SmsSid={message:032x}&To=0{national(message)}&Status=sent&SmsUnits=1&DetailedStatus=DELIVERED_TO_HANDSET"
        f"&DetailedStatusCode=20005&DateSent=2026-11-22+17%3A00%3A00&CustomField={campaign}%3A{batch}"
    )
    host = urlsplit(url).netloc
    head = f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode()
