"""Redis killed, away, gone silent, or forgetful: nobody is messaged twice or lost, and the work goes on by itself."""

import asyncio
import random
import threading
import time

import pytest
import redis

from tests.system.stack import people, wait_for
from worker.ledger.audit import audit
from worker.ledger.connection import connect

pytestmark = pytest.mark.system

AWAY_S = 30.0
SERVED_AGAIN_S = 7.0
SERVED_AGAIN_AFTER_SILENCE_S = 40.0
WORKS_ON_S = 0.5
"""How long after Redis died a call may still go out: its slot was given before, 0.1 s ahead at most."""


class Proxy:
    """Passes bytes between its clients and a port. Connections made before `silence` then swallow all and stay open."""

    def __init__(self, port):
        self.server_port = port
        self.age = 0
        self.ended = asyncio.Event()
        self.passing = set()
        self.loop = asyncio.new_event_loop()
        self.ready = threading.Event()
        self.thread = threading.Thread(target=self.loop.run_until_complete, args=[self._run()])

    def __enter__(self):
        self.thread.start()
        self.ready.wait()
        return self

    def __exit__(self, *_):
        self.loop.call_soon_threadsafe(self.ended.set)
        self.thread.join()
        self.loop.close()

    @property
    def url(self):
        return f"redis://127.0.0.1:{self.port}/0"

    def silence(self):
        self.age += 1

    async def _run(self):
        server = await asyncio.start_server(self._meet, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        self.ready.set()
        await self.ended.wait()
        server.close()
        for task in self.passing:
            task.cancel()
        await asyncio.gather(*self.passing, return_exceptions=True)

    async def _meet(self, reader, writer):
        self.passing.add(asyncio.current_task())
        there, back = await asyncio.open_connection("127.0.0.1", self.server_port)
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(self._pass(reader, back, self.age))
                both.create_task(self._pass(there, writer, self.age))
        finally:
            for each in (writer, back):
                each.transport.abort()
            self.passing.discard(asyncio.current_task())

    async def _pass(self, reader, writer, age):
        try:
            while data := await reader.read(1 << 16):
                if age == self.age:
                    writer.write(data)
                    await writer.drain()
            writer.close()
        except ConnectionError:
            writer.transport.abort()


def all_sent_once(stack, campaigns):
    """Fail unless every message of the finished campaigns was accepted, and by the gateway once."""
    for campaign in campaigns:
        done = stack.standing(campaign)
        assert (done.state, done.accepted, done.unconfirmed, done.rejected) == ("finished", done.queued, 0, 0)
        with connect(stack.redis_url) as client:
            assert audit(client, campaign) == ()
    stats = stack.simulator.stats()
    total = sum(stack.standing(campaign).queued for campaign in campaigns)
    assert (stats["accepted"], stats["distinct"], stats["duplicates"]) == (total, total, 0)


def next_call_after(stack, at, within_s, path=""):
    """Wait for the first call that the gateway saw after `at`, to a path with this in it; return its instant."""

    def look():
        return next((call["at"] for call in stack.simulator.arrivals() if call["at"] > at and path in call["path"]), 0)

    return wait_for(look, f"a call after {at}", within_s)


def lives_on(stack, first, there_at, within_s):
    """Queue a campaign, when no lane is served any more: it is begun within so long of Redis being there."""
    campaign = stack.enqueue(people(300, first), id="afterwards")
    begun_at = next_call_after(stack, time.time() - 1, within_s)
    assert begun_at - there_at < within_s
    stack.wait_for_state(campaign, "finished")
    return campaign


def test_a_redis_killed_again_and_again_under_load_costs_nobody(stack):
    draw = random.Random(3)
    simulator = stack.simulate("--latency", "50")
    stack.account(requests="40/second", concurrency=8)
    stack.workers(2)
    campaign = stack.enqueue(people(20_000))
    for _ in range(4):
        calls, more = simulator.stats()["requests"], draw.randrange(5, 40)
        wait_for(lambda calls=calls, more=more: simulator.stats()["requests"] >= calls + more, "under way again")
        stack.server.kill()
        stack.server.start()
        there_at = time.time()
        stack.standing(campaign)
        assert next_call_after(stack, there_at, 20) - there_at < SERVED_AGAIN_S
    stack.wait_for_state(campaign, "finished", 40)
    all_sent_once(stack, [campaign, lives_on(stack, 20_000, time.time(), SERVED_AGAIN_S)])


@pytest.mark.timeout(120)
def test_a_redis_that_is_away_for_30_seconds_is_waited_for_and_costs_nobody(stack):
    simulator = stack.simulate("--latency", "100", "--sid", "sim", "--sid", "idle")
    stack.account(requests="40/second", concurrency=8)
    stack.account("idle", sid="idle")
    stack.workers(2)
    campaign = stack.enqueue(people(10_000))
    wait_for(lambda: simulator.stats()["requests"] >= 30, "under way")
    stack.server.kill()
    gone_at = time.time()
    wait_for(lambda: time.time() > gone_at + AWAY_S, "away", AWAY_S + 1)
    stack.server.start()
    there_at = time.time()
    while_away = [call["at"] for call in simulator.arrivals() if gone_at + WORKS_ON_S < call["at"] < there_at]
    assert while_away == []
    stack.standing(campaign)
    # One lane was being served and goes on by itself; the other needs a doorbell, so Celery must be there again.
    other = stack.enqueue(people(300, 10_000), id="c2", accounts=["idle"])
    assert next_call_after(stack, there_at, 20) - there_at < SERVED_AGAIN_S
    assert next_call_after(stack, there_at, 40, "/idle/") - there_at < SERVED_AGAIN_S
    for each in (campaign, other):
        stack.wait_for_state(each, "finished")
    all_sent_once(stack, [campaign, other])


@pytest.mark.timeout(120)
def test_workers_whose_redis_goes_silent_without_a_word_go_on_over_new_connections(stack):
    simulator = stack.simulate("--latency", "50")
    stack.account(requests="40/second", concurrency=8)
    with Proxy(stack.server.port) as proxy:
        stack.workers(2, BULKSEND_REDIS_URL=proxy.url)
        campaign = stack.enqueue(people(10_000))
        wait_for(lambda: simulator.stats()["requests"] >= 30, "under way")
        proxy.silence()
        silent_at = time.time()
        again_at = next_call_after(stack, silent_at + WORKS_ON_S, SERVED_AGAIN_AFTER_SILENCE_S)
        assert again_at - silent_at < SERVED_AGAIN_AFTER_SILENCE_S
        stack.wait_for_state(campaign, "finished", SERVED_AGAIN_AFTER_SILENCE_S)
        # The drains had connections of their own; a new campaign's doorbell comes over Celery's.
        after = lives_on(stack, 10_000, silent_at, SERVED_AGAIN_AFTER_SILENCE_S)
        all_sent_once(stack, [campaign, after])
        for worker in stack.processes[1:]:
            worker.kill()
            worker.wait()


VOLATILE = {
    # option of Redis: value that forgets, value that keeps
    "appendonly": ("no", "yes"),
    "maxmemory-policy": ("allkeys-lru", "noeviction"),
}


@pytest.fixture(params=VOLATILE)
def forgetful(request, stack):
    """Redis was told to forget; returns how to mend it, and the words that must be said."""
    option = request.param
    forgets, keeps = VOLATILE[option]
    with redis.Redis.from_url(stack.redis_url) as client:
        client.config_set(option, forgets)
        yield (lambda: client.config_set(option, keeps)), option


def test_nothing_is_sent_while_redis_would_forget_it_and_the_work_goes_on_when_it_is_mended(stack, forgetful):
    mend, option = forgetful
    simulator = stack.simulate()
    stack.account()
    stack.worker()
    campaign = stack.enqueue(people(500))
    wait_for(lambda: stack.lane().problems, "the lane says what is wrong")
    (problem,) = stack.lane().problems
    assert option in problem
    standing = stack.standing(campaign)
    assert (standing.state, standing.reason) == ("running", f"account main: {problem}")
    assert (standing.pending, standing.calls, simulator.stats()["requests"]) == (500, 0, 0)

    mend()
    stack.wait_for_state(campaign, "finished")
    assert stack.lane().problems == ()
    all_sent_once(stack, [campaign])


def test_what_redis_would_forget_stops_a_lane_that_is_being_served(stack):
    simulator = stack.simulate()
    stack.account(requests="20/second")
    stack.worker()
    campaign = stack.enqueue(people(5000))
    wait_for(lambda: simulator.stats()["requests"] >= 10, "under way")
    with redis.Redis.from_url(stack.redis_url) as client:
        client.config_set("appendonly", "no")
        told_at = time.time()
        wait_for(lambda: stack.lane().problems, "the lane says what is wrong")
        assert "appendonly" in stack.lane().problems[0]
        assert [call["at"] for call in simulator.arrivals() if call["at"] > told_at + WORKS_ON_S] == []
        client.config_set("appendonly", "yes")
    stack.wait_for_state(campaign, "finished")
    all_sent_once(stack, [campaign])


def test_who_allows_a_volatile_redis_sends_with_it(stack):
    with redis.Redis.from_url(stack.redis_url) as client:
        client.config_set("appendonly", "no")
    stack.simulate()
    stack.account()
    stack.worker(BULKSEND_ALLOW_VOLATILE="true")
    campaign = stack.enqueue(people(500))
    stack.wait_for_state(campaign, "finished")
    assert stack.lane().problems == ()
    assert "redis.volatile" in stack.logs()
    all_sent_once(stack, [campaign])
