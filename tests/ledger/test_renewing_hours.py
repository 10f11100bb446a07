"""Hours are told by the server's clock, whatever a worker or a producer believes."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
import redis

from worker.engine import Engine
from worker.intake.campaign import Campaign
from worker.intake.readers import rows_from
from worker.ledger import keys
from worker.ledger.connection import connect_async
from worker.ledger.production import begin, start
from worker.producer import hours_around, produce
from worker.roster import Roster

CAMPAIGN = Campaign(name="c", accounts=("main",), body="Hello", window="10:00-09:00", timezone="UTC")


@pytest.fixture
def house(ledger, redis_url, tmp_path):
    """Let a worker keep house, with a clock so far off, until it has renewed the campaign's hours; return them."""

    async def keep(off):
        engine = Engine(
            redis=connect_async(redis_url), roster=Roster(tmp_path / "none", 0.0), allow_volatile=True, replicas=0
        )
        now = asyncio.get_running_loop().time()
        engine.clock.observe(now, now, round((datetime.now(UTC) + off).timestamp() * 1e6))
        keeping = asyncio.create_task(engine.keep_house())
        async with asyncio.timeout(20):
            while await engine.redis.hget(keys.campaign("c"), "closes") == b"2":  # noqa: ASYNC110 - it tells nobody
                await asyncio.sleep(0.01)
        keeping.cancel()
        await engine.redis.aclose()

    def run(off):
        asyncio.run(keep(off))
        fields = ledger.fields(keys.campaign("c"))
        return int(fields["opens"]), int(fields["closes"])

    return run


@pytest.mark.parametrize("off", [timedelta(0), timedelta(days=3), timedelta(days=-20_000)], ids=str)
def test_hours_are_renewed_by_the_servers_clock(ledger, house, off):
    begin(
        ledger.redis, "c", token="t", file_digest="f", doc=CAMPAIGN.to_json(), name="c", accounts=["main"],
        has_hours=True,
    )  # fmt: skip
    ledger.append([1])
    start(ledger.redis, "c", token="t", position=1, hours=(1, 2))
    assert house(off) == hours_around(CAMPAIGN, datetime.now(UTC))


class ServerOfAnotherDay(redis.Redis):
    """A client to whom the server tells an instant three days ahead of this machine's."""

    def time(self):
        seconds, microseconds = super().time()
        return seconds + 3 * 86_400, microseconds


def test_a_producer_gives_a_campaign_the_hours_of_the_servers_day(ledger, redis_url):
    with ServerOfAnotherDay.from_url(redis_url) as client, rows_from([{"to": "+919000000001"}]) as rows:
        produce(client, "c", CAMPAIGN, rows)
    fields = ledger.fields(keys.campaign("c"))
    told = int(fields["opens"]), int(fields["closes"])
    assert told == hours_around(CAMPAIGN, datetime.now(UTC) + timedelta(days=3))
