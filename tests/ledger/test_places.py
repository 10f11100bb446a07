"""The places of a process: which lanes it serves, in what order, and that none is served twice or forgotten."""

import asyncio

import pytest

from worker.domain.ids import AccountName
from worker.engine import Engine
from worker.ledger import keys
from worker.ledger.connection import connect_async
from worker.ledger.seats import Ceiling, announce, take_seat
from worker.places import FEWEST, Places
from worker.roster import Roster

PATIENCE_S = 20.0


class Lanes:
    """Stands for the drains: notes who begins, and lets a test end them; a seat is taken and given up as they do."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.missed = 0
        self.began: list[str] = []
        self.ends: dict[str, asyncio.Event] = {}
        self.news = asyncio.Event()

    async def serve(self, engine: Engine, name: AccountName, _crowded: asyncio.Event) -> None:
        self.began.append(name)
        self.news.set()
        await announce(engine.redis, engine.owner, {name: Ceiling(call_us=1e6, message_us=0, concurrency=1)})
        await take_seat(engine.redis, name, engine.owner)
        end = self.ends.setdefault(name, asyncio.Event())
        await end.wait()
        await engine.redis.zrem(keys.DUE, name)

    async def miss(self) -> None:
        """Miss so many slots all the time."""
        while True:
            await asyncio.sleep(0.001)
            self.engine.missed += self.missed

    async def until(self, count: int) -> None:
        """Wait until so many lanes have begun."""
        async with asyncio.timeout(PATIENCE_S):
            while len(self.began) < count:
                self.news.clear()
                await self.news.wait()

    def end(self, *names: str) -> None:
        for name in names:
            self.ends.setdefault(name, asyncio.Event()).set()


@pytest.fixture
def in_process(redis_url, tmp_path):
    """Run a test with the places of a process, of which there are so many."""

    def run(test, most=100):
        async def whole():
            engine = Engine(
                redis=connect_async(redis_url), roster=Roster(tmp_path / "none", 0.0), allow_volatile=True, replicas=0
            )
            await engine.redis.flushdb()
            await engine.redis.zadd(keys.WORKERS, {engine.owner: 4e15})
            lanes = Lanes(engine)
            places = Places(engine=engine, most=most, serve=lanes.serve)
            filling = asyncio.create_task(places.fill())
            misses = asyncio.create_task(lanes.miss())
            try:
                await test(places, lanes)
            finally:
                engine.stop()
                lanes.end(*lanes.began)
                await asyncio.gather(filling, *places.serving)
                misses.cancel()
                await engine.redis.aclose()

        asyncio.run(whole())

    return run


async def due(lanes: Lanes, *names: str) -> None:
    await lanes.engine.redis.zadd(keys.DUE, {name: at for at, name in enumerate(names, 1)})


def test_lanes_that_wait_are_served_in_the_order_in_which_they_became_due(in_process):
    names = [f"lane-{i}" for i in range(9)]

    async def test(places, lanes):
        await due(lanes, *names)
        await lanes.until(9)
        assert lanes.began == names

    in_process(test)


def test_a_place_that_comes_free_goes_to_the_lane_that_waits_longest(in_process):
    async def test(places, lanes):
        await due(lanes, "one", "two", "three", "four")
        await lanes.until(2)
        assert places.room == 0
        lanes.end("two")
        await lanes.until(3)
        lanes.end("one")
        await lanes.until(4)
        assert lanes.began == ["one", "two", "three", "four"]

    in_process(test, most=2)


def test_a_bell_is_answered_at_once_and_returns_when_the_lane_is_done(in_process):
    async def test(places, lanes):
        bell = asyncio.create_task(places.answer(AccountName("main")))
        await lanes.until(1)
        assert not bell.done()
        lanes.end("main")
        await asyncio.wait_for(bell, PATIENCE_S)
        assert not places.serving

    in_process(test)


def test_a_bell_for_a_lane_that_is_served_serves_it_once_more_when_it_ends(in_process):
    async def test(places, lanes):
        first = asyncio.create_task(places.answer(AccountName("main")))
        await lanes.until(1)
        await places.answer(AccountName("main"))
        lanes.end("main")
        await asyncio.wait_for(first, PATIENCE_S)
        assert lanes.began == ["main", "main"]

    in_process(test)


def test_a_bell_that_finds_no_place_is_forgotten_and_its_lane_has_its_turn(in_process):
    async def test(places, lanes):
        await due(lanes, "one", "two")
        await lanes.until(1)
        await places.answer(AccountName("two"))
        assert lanes.began == ["one"]
        lanes.end("one")
        await lanes.until(2)
        assert lanes.began == ["one", "two"]

    in_process(test, most=1)


def test_where_no_place_comes_free_one_lane_is_asked_to_give_its_own_up_and_then_no_other(in_process):
    async def test(places, lanes):
        await due(lanes, "busy", "waits")
        await asyncio.wait_for(places.crowded.wait(), PATIENCE_S)
        assert lanes.began == ["busy"]
        lanes.end("busy")
        await lanes.until(2)
        assert not places.crowded.is_set()

    in_process(test, most=1)


def test_where_nobody_waits_no_lane_is_asked_to_give_its_place_up(in_process):
    async def test(places, lanes):
        await due(lanes, "busy")
        await lanes.until(1)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(places.crowded.wait(), 1.5)

    in_process(test, most=1)


def test_a_process_serves_few_lanes_while_it_misses_slots_and_more_when_it_does_not(in_process):
    names = [f"lane-{i}" for i in range(FEWEST + 20)]

    async def test(places, lanes):
        lanes.missed = 1
        await due(lanes, *names)
        await asyncio.wait_for(places.crowded.wait(), PATIENCE_S)
        assert lanes.began == names[:FEWEST]
        lanes.missed = 0
        await lanes.until(FEWEST + 20)

    in_process(test)


def test_a_stopping_process_begins_nothing(in_process):
    async def test(places, lanes):
        lanes.engine.stop()
        await due(lanes, "one")
        await places.answer(AccountName("two"))
        await asyncio.wait_for(places.fill(), PATIENCE_S)
        assert lanes.began == []

    in_process(test)


def test_what_dies_in_the_background_is_begun_anew(in_process, monkeypatch):
    monkeypatch.setattr("worker.engine.AWAY_S", 0.0)

    async def test(places, lanes):
        tries = []

        async def dies_once():
            tries.append(1)
            if len(tries) == 1:
                raise ValueError("a mistake of ours")

        await asyncio.wait_for(lanes.engine.keep("house", dies_once), PATIENCE_S)
        assert len(tries) == 2

    in_process(test)
