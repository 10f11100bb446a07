"""A refusal at the moment of sending feeds the suppression lists, and costs nothing where Redis is away."""

from types import SimpleNamespace

import pytest
from structlog.testing import capture_logs

from worker.domain.answers import Accepted, Rejected
from worker.domain.batch import Message, Outgoing
from worker.domain.suppression import Reason, Scope, SuppressionList
from worker.ledger.connection import connect_async
from worker.ledger.suppression import count_of, lists_with
from worker.teller import Teller

PROMOTIONAL = SuppressionList(scope=Scope.PROMOTIONAL)
EVERYTHING = SuppressionList()
FIRST = 919000000001
OUTGOING = Outgoing(
    reference="c:1",
    sender="EXOTEL",
    options={},
    messages=tuple(Message(to=FIRST + place, body="Hi") for place in range(3)),
)
OUTCOMES = (Accepted(gateway_id="g"), Rejected(code="23005", reason="DND"), Rejected(code="23020", reason="OPTED OUT"))


def feed_lists(client, outcomes):
    return Teller(engine=SimpleNamespace(redis=client), name="main").feed_lists("exotel-sms", OUTGOING, outcomes)


@pytest.mark.parametrize("times", [1, 2])
def test_whoever_was_refused_for_that_is_on_the_list_for_it_once(ledger, times):
    with capture_logs() as logged:
        for _ in range(times):
            ledger.run(feed_lists(ledger.aredis, OUTCOMES))
    assert lists_with(ledger.redis, FIRST) == {}
    assert lists_with(ledger.redis, FIRST + 1) == {PROMOTIONAL: Reason.DND}
    assert lists_with(ledger.redis, FIRST + 2) == {EVERYTHING: Reason.OPTED_OUT}
    assert (count_of(ledger.redis, PROMOTIONAL), count_of(ledger.redis, EVERYTHING)) == (1, 1)
    assert [(each["event"], each["list"], each["numbers"]) for each in logged] == [
        ("suppression.fed", "promotional", 1),
        ("suppression.fed", "all", 1),
    ] * times
    assert "91900000" not in str(logged)


def test_where_redis_is_away_a_line_says_so_and_names_nobody(ledger):
    async def feed():
        async with connect_async("redis://127.0.0.1:9") as away:
            await feed_lists(away, OUTCOMES)

    with capture_logs() as logged:
        ledger.run(feed())
    assert [(each["event"], each["log_level"]) for each in logged] == [("suppression.not_fed", "warning")] * 2
    assert "91900000" not in str(logged)


def test_a_batch_in_which_nobody_was_refused_asks_redis_nothing(ledger):
    ledger.run(feed_lists(None, (Accepted(gateway_id="g"),) * 3))
