"""The callback service on a real socket with a real Redis: what it takes, what it refuses, and what stops it not."""

import asyncio
import json
import time
from contextlib import asynccontextmanager

import httpx
import pytest

from config.settings import Settings
from tests.system.stack import RedisServer
from worker.callback_body import Limits
from worker.callback_server import CallbackServer, PromptProtocol, bind, url_of
from worker.callbacks import make_application
from worker.domain.callback_token import account_url, callback_url, sign
from worker.ledger import inbox
from worker.ledger.connection import connect

pytestmark = [pytest.mark.system, pytest.mark.anyio]

SECRET, BEFORE = "a-long-made-up-text", "the-text-before-it"
REPORT = {"SmsSid": "abc", "To": "09000000001", "Status": "sent", "DetailedStatusCode": "20005"}
BODY = b"SmsSid=abc&To=09000000001&Status=sent&DetailedStatusCode=20005"
INCOMING = {"whatsapp": {"messages": [{"callback_type": "icm", "sid": "1"}]}}
MIXED = {"whatsapp": {"messages": [{"sid": "1", "exo_status_code": 30002}, {"sid": "2", "exo_status_code": 1}]}}
BATCH = ("main", "offer-x1", 7)


@pytest.fixture
def anyio_backend():
    return "asyncio"


class Service:
    """A running service, its Redis, and the URLs that it knows."""

    def __init__(self, redis_url):
        self.redis = connect(redis_url)
        self.rings, self.rung = [], asyncio.Event()

    def reach(self, url, http):
        self.url, self.http = url, http
        self.batch_url = callback_url(url, SECRET, *BATCH)

    @property
    def address(self):
        host, port = self.url.removeprefix("http://").split(":")
        return host, int(port)

    @property
    def path(self):
        return self.batch_url.removeprefix(self.url)

    async def metric(self, fate):
        text = (await self.http.get(f"{self.url}/metrics")).text
        (line,) = [line for line in text.splitlines() if f'fate="{fate}"' in line and "_total" in line]
        return float(line.split()[-1])

    async def connect(self, head):
        """Open a connection and send just this."""
        reader, writer = await asyncio.open_connection(*self.address)
        writer.write(head)
        await writer.drain()
        return reader, writer

    def head(self, length=100):
        return f"POST {self.path} HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n".encode()

    def received(self):
        return [raw.posted for raw in inbox.read_reports(self.redis, "test", 1000)]


@asynccontextmanager
async def serving(redis_url, **limits):
    """Serve in this loop."""
    loop = asyncio.get_running_loop()
    settings = Settings(
        _env_file=None, redis_url=redis_url, callback_secret=SECRET, callback_secret_before=BEFORE
    )  # fmt: skip
    service = Service(redis_url)

    def ring():
        service.rings.append(time.monotonic())
        loop.call_soon_threadsafe(service.rung.set)

    application = make_application(settings, limits=Limits(**limits), ring=ring)
    protocol = type("Quick", (PromptProtocol,), {"headers_s": 0.5})
    started = asyncio.Event()
    with bind("127.0.0.1", 0) as listening:
        server = CallbackServer(application, started.set, protocol)
        task = asyncio.create_task(server.serve([listening]))
        await started.wait()
        async with httpx.AsyncClient(trust_env=False, timeout=20) as http:
            service.reach(url_of(listening), http)
            try:
                yield service
            finally:
                service.redis.close()
        server.stop()
        await task


@pytest.fixture
async def service(redis_url):
    async with serving(redis_url, body_s=0.5) as service:
        yield service


@pytest.mark.parametrize(
    "how",
    [
        {"data": REPORT},
        {"json": REPORT},
        {"content": BODY},
        {"content": BODY, "headers": {"content-type": "application/json"}},
        {"content": json.dumps(REPORT).encode(), "headers": {"content-type": "application/x-www-form-urlencoded"}},
    ],
)
async def test_a_report_is_in_the_stream_as_it_came_when_its_gateway_is_told_so(service, how):
    answer = await service.http.post(service.batch_url, **how)
    assert (answer.status_code, answer.content) == (200, b"")
    assert "server" not in answer.headers
    (posted,) = service.received()
    assert (posted.account, posted.campaign, posted.batch) == BATCH
    assert posted.body == httpx.Request("POST", "http://x", **how).read()


async def test_an_accounts_own_url_names_no_campaign(service):
    answer = await service.http.post(account_url(service.url, SECRET, "main"), content=BODY)
    assert answer.status_code == 200
    assert service.received() == [inbox.Posted(account="main", campaign="", batch=0, body=BODY)]


async def test_what_the_secret_before_signed_is_still_believed(service):
    answer = await service.http.post(callback_url(service.url, BEFORE, *BATCH), content=BODY)
    assert answer.status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        f"/reports/main/offer-x1/7/{sign('forged', *BATCH)}",
        f"/reports/main/offer-x1/8/{sign(SECRET, *BATCH)}",
        f"/reports/other/offer-x1/7/{sign(SECRET, *BATCH)}",
        f"/reports/main/offer-x1/07/{sign(SECRET, *BATCH)}",
        f"/reports/main/offer-x1/x/{sign(SECRET, *BATCH)}",
        f"/reports/main/{sign(SECRET, *BATCH)}",
        "/reports/main/offer-x1/7/%ff%00",
    ],
)
async def test_a_forged_token_changes_nothing_but_one_counter(service, path, caplog):
    answer = await service.http.post(service.url + path, content=BODY)
    assert (answer.status_code, answer.content) == (404, b"")
    assert await service.metric("bad_token") == 1
    assert service.redis.dbsize() == 0
    assert [record.name for record in caplog.records if not record.name.startswith("http")] == []


async def test_other_methods_and_paths_get_a_status_and_nothing_else(service):
    for method, path in [("GET", service.path), ("PUT", service.path), ("GET", "/"), ("POST", "/reports/main/")]:
        answer = await service.http.request(method, service.url + path)
        assert answer.status_code in {404, 405}
        assert answer.content == b""


async def test_an_unreadable_body_is_refused_counted_and_kept_for_an_operator(service):
    for i in range(inbox.MOST_UNREADABLE + 1):
        answer = await service.http.post(service.batch_url, content=f"what is {i}?".encode() + b"x" * 5000)
        assert answer.status_code == 400
    assert await service.metric("unreadable") == 101
    kept = inbox.unreadable(service.redis)
    assert len(kept) == inbox.MOST_UNREADABLE
    heading, body = kept[0].split(b"\n", 1)
    assert heading.endswith(b" main offer-x1 7")
    assert body == b"what is 100?" + b"x" * (inbox.SHOWN_BYTES - 12)
    assert service.received() == []


async def test_what_can_be_read_is_taken_and_what_can_not_is_shown(service):
    assert (await service.http.post(service.batch_url, json=MIXED)).status_code == 200
    assert len(service.received()) == len(inbox.unreadable(service.redis)) == 1


async def test_incoming_messages_are_counted_and_passed_over(service):
    assert (await service.http.post(service.batch_url, json=INCOMING)).status_code == 200
    assert service.redis.dbsize() == 0
    assert "bulksend_report_parts_passed_over_total 1.0" in (await service.http.get(f"{service.url}/metrics")).text


async def test_a_body_of_ten_mebibytes_is_refused_by_what_its_length_claims(service):
    answer = await service.http.post(service.batch_url, content=b"x" * 10 * 2**20)
    assert answer.status_code == 413
    assert await service.metric("too_large") == 1
    assert service.redis.dbsize() == 0


async def test_a_body_without_a_length_is_read_no_further_than_the_limit(service):
    sent = 0

    async def endless():
        nonlocal sent
        while sent < 10 * 2**20:
            sent += 2**16
            yield b"x" * 2**16

    assert (await service.http.post(service.batch_url, content=endless())).status_code == 413
    assert await service.metric("too_large") == 1


async def test_a_body_just_as_large_as_may_be_is_read(service):
    body = json.dumps(REPORT | {"Body": ""}).encode()
    body = body[:-2] + b"x" * (2**20 - len(body)) + body[-2:]
    assert (await service.http.post(service.batch_url, content=body)).status_code == 200
    assert [len(posted.body) for posted in service.received()] == [2**20]


async def test_a_slow_body_is_given_up_and_its_connection_closed(service):
    reader, writer = await service.connect(service.head() + b"SmsSid=")
    assert (await reader.read()).startswith(b"HTTP/1.1 408 ")
    writer.close()
    assert await service.metric("too_slow") == 1


async def test_headers_that_never_end_close_their_connection(service):
    reader, writer = await service.connect(b"POST /reports HTTP/1.1\r\nHost: x\r\n")
    assert await reader.read() == b""
    writer.close()


async def test_a_body_that_is_cut_off_is_not_taken_for_whole(service):
    _, writer = await service.connect(service.head(len(BODY) + 1) + BODY)
    writer.close()
    await writer.wait_closed()
    while await service.metric("cut_off") == 0:
        pass  # each look is a request
    assert service.redis.dbsize() == 0


async def test_slow_connections_do_not_hinder_a_fast_one(redis_url):
    async with serving(redis_url) as service:
        slow = await asyncio.gather(*(service.connect(service.head() + b"S") for _ in range(200)))
        began = time.monotonic()
        for _ in range(20):
            assert (await service.http.post(service.batch_url, content=BODY)).status_code == 200
        assert time.monotonic() - began < 5
        assert len(service.received()) == 20
        for _, writer in slow:
            writer.close()


async def test_many_at_once_are_all_kept_and_rung_for_at_most_once_a_second(service):
    began = time.monotonic()
    answers = await asyncio.gather(*(service.http.post(service.batch_url, content=BODY) for _ in range(100)))
    assert {answer.status_code for answer in answers} == {200}
    assert len(service.received()) == 100
    await service.rung.wait()
    assert 1 <= len(service.rings) <= 1 + (time.monotonic() - began)


async def test_redis_away_is_said_with_503_until_it_is_back(tmp_path):
    server = RedisServer(tmp_path).start()
    try:
        async with serving(server.url) as service:
            assert (await service.http.get(f"{service.url}/healthz")).status_code == 200
            server.kill()
            for content in (BODY, b"unreadable"):
                assert (await service.http.post(service.batch_url, content=content)).status_code == 503
            assert (await service.http.get(f"{service.url}/healthz")).status_code == 503
            assert await service.metric("redis_away") == 2
            server.start()
            assert (await service.http.post(service.batch_url, content=BODY)).status_code == 200
            assert (await service.http.get(f"{service.url}/healthz")).status_code == 200
    finally:
        server.kill()


async def test_metrics_count_each_post_once_and_how_long_answers_took(service):
    await service.http.post(service.batch_url, content=BODY)
    text = (await service.http.get(f"{service.url}/metrics")).text
    assert await service.metric("received") == 1
    assert "bulksend_report_posts_waiting 1.0" in text
    assert "bulksend_reports_received_total 1.0" in text
    assert "bulksend_report_answer_seconds_count 1.0" in text
