"""Bodies go into the stream together, and each sender is told the truth about its own."""

import asyncio

import pytest

from worker.ledger.errors import LedgerUnavailable
from worker.ledger.inbox import Posted
from worker.report_box import MOST_AT_ONCE, ReportBox


def posted(i):
    return Posted(account="main", campaign="c", batch=i, body=b"")


class Stream:
    """Takes what it is given once `open` is set; each round trip is a list of batch numbers."""

    def __init__(self):
        self.rounds, self.error = [], None
        self.open, self.asked = asyncio.Event(), asyncio.Event()

    async def append(self, reports):
        self.rounds.append([each.batch for each in reports])
        self.asked.set()
        await self.open.wait()
        if self.error is not None:
            raise self.error


async def _keep(box, numbers):
    return [asyncio.create_task(box.keep(posted(number))) for number in numbers]


def run(test):
    async def whole():
        async with asyncio.timeout(10):
            stream = Stream()
            await test(stream, ReportBox(stream.append))

    asyncio.run(whole())


def test_a_lone_body_does_not_wait_for_company():
    async def test(stream, box):
        stream.open.set()
        await box.keep(posted(1))
        await box.keep(posted(2))
        assert stream.rounds == [[1], [2]]

    run(test)


def test_what_comes_during_a_round_trip_goes_together_in_the_next():
    async def test(stream, box):
        tasks = await _keep(box, [0])
        await stream.asked.wait()
        tasks += await _keep(box, range(1, MOST_AT_ONCE + 3))
        assert not any(task.done() for task in tasks)
        stream.open.set()
        await asyncio.gather(*tasks)
        assert [len(each) for each in stream.rounds] == [1, MOST_AT_ONCE, 2]
        assert [number for each in stream.rounds for number in each] == list(range(MOST_AT_ONCE + 3))

    run(test)


def test_a_failed_round_trip_is_told_to_those_who_were_in_it_and_the_next_may_succeed():
    async def test(stream, box):
        stream.error = LedgerUnavailable("away")
        stream.open.set()
        told = await asyncio.gather(*await _keep(box, [1, 2]), return_exceptions=True)
        assert [type(each) for each in told] == [LedgerUnavailable] * 2
        stream.error = None
        await box.keep(posted(3))

    run(test)


def test_who_gave_up_before_its_turn_is_left_out_for_it_will_try_again():
    async def test(stream, box):
        first = await _keep(box, [1])
        await stream.asked.wait()
        (second, third) = await _keep(box, [2, 3])
        await asyncio.sleep(0)
        second.cancel()
        first[0].cancel()
        stream.open.set()
        await third
        assert stream.rounds == [[1], [3]]

    run(test)


def test_a_defect_stops_one_round_only():
    async def test(stream, box):
        stream.error = ZeroDivisionError()
        stream.open.set()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await box.keep(posted(1))
        with pytest.raises(ZeroDivisionError):
            await box._carrier
        stream.error = None
        await box.keep(posted(2))

    run(test)
