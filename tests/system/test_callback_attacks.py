"""Whoever attacks the callback service changes nothing: forged, replayed, huge and slow posts beside honest ones."""

import asyncio
import json
import time
from contextlib import asynccontextmanager

import httpx
import pytest

from tests.system.gateways import REPORTED, add_account, audited
from tests.system.stack import people, wait_for
from worker.domain.callback_token import account_url, callback_url, sign
from worker.ledger.connection import connect

pytestmark = [pytest.mark.system, pytest.mark.anyio]

SECRET = "sign-tests-only"
ROWS = 20
SLOW = 1000
WHATSAPP, SKYCORE = REPORTED


@pytest.fixture
def anyio_backend():
    return "asyncio"


def report_of(row, line, code, reference):
    """Return a report about one message as its gateway writes it; `reference` is what the call said it is about."""
    if row is WHATSAPP:
        message = {"callback_type": "dlr", "sid": line.gateway_id, "to": line.to, "exo_status_code": code}
        return json.dumps({"whatsapp": {"messages": [message]}}).encode()
    fields = {"origin": "SMS_MT", "code": code, "to": line.to, "tracking-id": line.gateway_id}
    return json.dumps(fields | {"campaign-ref": reference}).encode()


class Attacked:
    """A finished campaign whose reports are ours to write, and its callback service."""

    def __init__(self, stack, row):
        self.stack, self.row = stack, row
        stack.simulate()
        add_account(stack, row, requests="200/second")
        self.url = stack.callbacks()
        stack.worker()
        self.campaign = stack.enqueue(people(ROWS), **row.campaign)
        stack.wait_for_state(self.campaign, "finished")
        self.lines = stack.record(self.campaign)
        self.references = {message["sid"]: message["custom_field"] for message in stack.simulator.messages()}

    @property
    def good_url(self):
        if self.row.reported == "account":
            return account_url(self.url, SECRET, "main")
        return callback_url(self.url, SECRET, "main", self.campaign, 1)

    def delivered(self, place):
        """Return the report that the message at this place was delivered."""
        return self._report(place, 30002 if self.row is WHATSAPP else "N202")

    def failed(self, place):
        """Return the report that it was not."""
        return self._report(place, 30013 if self.row is WHATSAPP else "E201")

    def _report(self, place, code):
        line = self.lines[place]
        return report_of(self.row, line, code, self.references[line.gateway_id])

    def tells(self, delivered, undelivered):
        """Wait until all posts are applied; fail unless just this is known then."""

        def applied():
            with connect(self.stack.redis_url) as client:
                return not client.xlen("bulksend:reports") and self.stack.standing(self.campaign)

        standing = wait_for(lambda: (s := applied()) and s.delivered >= delivered and s, "reports are applied")
        told = (standing.accepted, standing.delivered, standing.undelivered, standing.unmatched)
        assert told == (ROWS, delivered, undelivered, 0)
        audited(self.stack, self.campaign)


@pytest.mark.parametrize("row", REPORTED, ids=str)
async def test_forged_replayed_and_huge_posts_change_nothing(stack, row):
    attacked = await asyncio.to_thread(Attacked, stack, row)
    async with httpx.AsyncClient(trust_env=False, timeout=20) as http:

        async def post(url, content):
            return (await http.post(url, content=content)).status_code

        # Forged: signed with another secret, for another batch, for another account, or not at all.
        batch = ("main", attacked.campaign, 1)
        for path in (
            f"main/{attacked.campaign}/1/{sign('forged', *batch)}",
            f"main/{attacked.campaign}/2/{sign(SECRET, *batch)}",
            f"other/{attacked.campaign}/1/{sign(SECRET, *batch)}",
            f"main/{sign(SECRET, *batch)}",
            f"main/{attacked.campaign}/1/x",
        ):
            assert await post(f"{attacked.url}/reports/{path}", attacked.failed(0)) == 404
        assert await post(attacked.good_url, b"x" * (10 << 20)) == 413
        assert await post(attacked.good_url, attacked.failed(0) + b" " * (10 << 20)) == 413
        # Replayed: one report many times, at once and again after it was applied.
        assert await asyncio.gather(*(post(attacked.good_url, attacked.delivered(1)) for _ in range(30))) == [200] * 30
        await asyncio.to_thread(attacked.tells, 1, 0)
        assert await asyncio.gather(*(post(attacked.good_url, attacked.delivered(1)) for _ in range(30))) == [200] * 30
        assert await post(attacked.good_url, attacked.failed(2)) == 200
        await asyncio.to_thread(wait_for, lambda: stack.standing(attacked.campaign).undelivered == 1, "applied")
        await asyncio.to_thread(attacked.tells, 1, 1)
    log = (stack.directory / "callbacks.log").read_text()
    assert not any(word in log for word in ("Traceback", "reports/", SECRET, "90000"))


@asynccontextmanager
async def slow_posts(url, head, count):
    """Hold so many connections open on which a post has begun and does not go on."""
    host, port = url.removeprefix("http://").split(":")

    async def begin():
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(head)
        await writer.drain()
        return reader, writer

    held = await asyncio.gather(*(begin() for _ in range(count)))
    try:
        yield held
    finally:
        for _, writer in held:
            writer.transport.abort()


@pytest.mark.alone
async def test_a_thousand_slow_connections_hinder_no_honest_report_and_are_given_up(stack):
    attacked = await asyncio.to_thread(Attacked, stack, WHATSAPP)
    path = attacked.good_url.removeprefix(attacked.url)
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{{".encode()
    async with slow_posts(attacked.url, head, SLOW) as held, httpx.AsyncClient(trust_env=False, timeout=20) as http:
        began = time.monotonic()
        for place in range(ROWS):
            assert (await http.post(attacked.good_url, content=attacked.delivered(place))).status_code == 200
        assert time.monotonic() - began < 5
        await asyncio.to_thread(attacked.tells, ROWS, 0)
        async with asyncio.timeout(30):
            answers = await asyncio.gather(*(reader.read() for reader, _ in held))
        assert {answer.split(b"\r\n")[0] for answer in answers} == {b"HTTP/1.1 408 Request Timeout"}
        assert (await http.get(f"{attacked.url}/healthz")).status_code == 200
    await asyncio.to_thread(attacked.tells, ROWS, 0)
