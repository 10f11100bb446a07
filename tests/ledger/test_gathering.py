"""Calls that go together: each has its own answer, its own error and nobody else's delay."""

import asyncio
import hashlib

import pytest

from worker.ledger.connection import connect_async
from worker.ledger.errors import LedgerBroken, LedgerUnavailable
from worker.ledger.gathering import Gathering
from worker.ledger.scripts import Script

ECHO = "return {KEYS[1], ARGV[1]}"
FAIL = "return redis.error_reply('BULKSEND what was asked')"


def script(text):
    return Script("test", text, hashlib.sha1(text.encode()).hexdigest())


@pytest.fixture
def run(redis_url):
    """Run a test on a real server, which knows no script at first."""

    def run(test):
        async def whole():
            client = connect_async(redis_url)
            await client.script_flush()
            try:
                await test(client, Gathering(client))
            finally:
                await client.aclose()

        asyncio.run(whole())

    return run


class Pipelines:
    """A client that counts its pipelines, and may let them hang or break."""

    def __init__(self, client):
        self.client, self.sizes, self.held = client, [], None
        self.error, self.went = None, asyncio.Event()

    def pipeline(self, transaction):
        assert not transaction
        outer, inner = self, self.client.pipeline(transaction=False)

        class Counted:
            def evalsha(self, *call):
                inner.evalsha(*call)

            async def execute(self, raise_on_error):
                outer.sizes.append(len(inner))
                held, outer.held = outer.held, None
                outer.went.set()
                if held is not None:
                    await held.wait()
                if outer.error is not None:
                    raise outer.error
                return await inner.execute(raise_on_error=raise_on_error)

        return Counted()

    async def eval(self, *call):
        return await self.client.eval(*call)


def test_each_call_has_its_own_answer_also_where_the_server_does_not_know_the_script(run):
    async def test(client, gathered):
        for _ in range(2):
            calls = [script(ECHO).acall(gathered, [f"k{i}"], [i]) for i in range(20)]
            assert await asyncio.gather(*calls) == [[b"k%d" % i, b"%d" % i] for i in range(20)]

    run(test)


def test_a_refused_call_says_so_to_its_caller_and_to_nobody_else(run):
    async def test(client, gathered):
        calls = [script(text).acall(gathered, ["k"], ["a"]) for text in (ECHO, FAIL, ECHO)]
        first, refused, last = await asyncio.gather(*calls, return_exceptions=True)
        assert first == last == [b"k", b"a"]
        assert isinstance(refused, LedgerBroken)

    run(test)


def test_calls_of_one_turn_and_those_that_come_while_one_is_under_way_go_together(run):
    async def test(client, _):
        await client.script_load(ECHO)
        pipelines = Pipelines(client)
        gathered = Gathering(pipelines)
        pipelines.held = held = asyncio.Event()
        first = [asyncio.create_task(script(ECHO).acall(gathered, ["k"], [i])) for i in range(3)]
        await pipelines.went.wait()
        more = [asyncio.create_task(script(ECHO).acall(gathered, ["k"], [i])) for i in range(4)]
        await asyncio.sleep(0)
        held.set()
        await asyncio.gather(*first, *more)
        assert pipelines.sizes == [3, 4]

    run(test)


def test_a_connection_that_hangs_keeps_nobody_else_waiting(run):
    async def test(client, _):
        await client.script_load(ECHO)
        pipelines = Pipelines(client)
        gathered = Gathering(pipelines)
        pipelines.held = held = asyncio.Event()
        hangs = asyncio.create_task(script(ECHO).acall(gathered, ["k"], ["hangs"]))
        await pipelines.went.wait()
        assert await script(ECHO).acall(gathered, ["k"], ["next"]) == [b"k", b"next"]
        assert not hangs.done()
        held.set()
        assert await hangs == [b"k", b"hangs"]
        assert await script(ECHO).acall(gathered, ["k"], ["last"]) == [b"k", b"last"]

    run(test)


def test_a_server_that_is_away_is_told_to_every_caller_and_the_next_call_goes_out(run):
    async def test(client, _):
        await client.script_load(ECHO)
        pipelines = Pipelines(client)
        gathered = Gathering(pipelines)
        pipelines.error = ConnectionResetError("away")
        calls = [script(ECHO).acall(gathered, ["k"], [i]) for i in range(3)]
        replies = await asyncio.gather(*calls, return_exceptions=True)
        assert [type(reply) for reply in replies] == [LedgerUnavailable] * 3
        pipelines.error = None
        assert await script(ECHO).acall(gathered, ["k"], ["a"]) == [b"k", b"a"]

    run(test)


def test_a_caller_that_is_cancelled_takes_nobody_with_it(run):
    async def test(client, gathered):
        await client.script_load(ECHO)
        cut, stays = (asyncio.create_task(script(ECHO).acall(gathered, ["k"], [i])) for i in range(2))
        await asyncio.sleep(0)
        cut.cancel()
        assert await stays == [b"k", b"1"]
        assert cut.cancelled() or cut.cancelling()

    run(test)
