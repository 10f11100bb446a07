"""When a campaign sends, with real workers: its start, its hours, its end; and who goes first.

The gateway's own clock is the witness of each call; it is this machine's, as the server's is.
"""

import asyncio
import time
from datetime import UTC, datetime, timedelta

import pytest

from tests.system.stack import people, wait_for
from worker.domain.suppression import Reason, SuppressionList
from worker.ledger.connection import connect, connect_async
from worker.ledger.suppression import suppress
from worker.ledger.timing import set_hours

pytestmark = [pytest.mark.system, pytest.mark.alone]

SLACK_S = 0.05
"""How much the clocks of two processes' readings may differ."""

SOON_S = 3.0
"""From the instant at which the sweep starts a campaign, or opens its hours, to its first call."""


def ahead(seconds):
    """So many seconds from now, in whole ones, as a campaign file has it."""
    return datetime.fromtimestamp(int(time.time() + seconds) + 1, UTC)


def iso(at):
    return at.isoformat(timespec="seconds")


def arrivals(stack):
    return [arrival["at"] for arrival in stack.simulator.arrivals()]


def everybody_once(stack, count):
    messages = [message["to"] for message in stack.simulator.messages()]
    assert len(messages) == len(set(messages)) == count


def test_a_scheduled_campaign_starts_once_at_its_time_with_two_workers(stack):
    stack.simulate()
    stack.account()
    stack.workers(2)
    starts_at = ahead(3)
    campaign = stack.enqueue(people(300), start_at=iso(starts_at))
    standing = stack.standing(campaign)
    assert (standing.state, standing.reason) == ("scheduled", f"starts at {iso(starts_at)}")
    done = stack.wait_for_state(campaign, "finished")
    assert (done.accepted, done.calls, done.batches) == (300, 3, 3)
    everybody_once(stack, 300)
    first = min(arrivals(stack))
    assert 0 <= first - starts_at.timestamp() < SOON_S


def test_a_start_whose_only_worker_was_killed_is_made_up_for_by_the_next(stack):
    stack.simulate()
    stack.account()
    worker = stack.worker()
    starts_at = ahead(5)
    campaign = stack.enqueue(people(300), start_at=iso(starts_at))
    worker.kill()
    worker.wait()
    wait_for(lambda: time.time() > starts_at.timestamp() + 0.5, "its time has passed")
    assert stack.standing(campaign).state == "scheduled"
    assert arrivals(stack) == []
    stack.worker()
    done = stack.wait_for_state(campaign, "finished")
    assert (done.accepted, done.calls) == (300, 3)
    everybody_once(stack, 300)


def give_hours(stack, campaign, opens_s, closes_s):
    """Write hours by hand, in seconds from now: when they close a worker renews them from the campaign's window."""

    async def write():
        client = connect_async(stack.redis_url)
        await set_hours(client, campaign, *(round((now + each) * 1e6) for each in (opens_s, closes_s)))
        await client.aclose()

    now = time.time()
    asyncio.run(write())
    return now + opens_s, now + closes_s


def window(opens, closes):
    """A window from and to so many minutes from now, in a zone in which clocks are changed."""
    now = datetime.now(UTC)
    return "-".join(f"{now + timedelta(minutes=each):%H:%M}" for each in (opens, closes))


def test_nothing_arrives_after_closing_time_and_the_reason_says_when_it_goes_on(stack):
    stack.simulate()
    stack.account(requests="20/second", concurrency=4)
    stack.worker()
    opens = datetime.now(UTC).replace(second=0, microsecond=0) + timedelta(minutes=120)
    campaign = stack.enqueue(people(20_000), window=window(120, 240), timezone="UTC")
    said = f"outside its hours: goes on at {iso(opens)}"
    assert stack.standing(campaign).reason == said
    assert arrivals(stack) == []

    _, closes_at = give_hours(stack, campaign, -60, 3)
    wait_for(lambda: stack.standing(campaign).reason == said and time.time() > closes_at, "closed again", 10)
    standing = stack.standing(campaign)
    assert standing.state == "running"
    assert standing.pending > 0
    assert standing.calls > 5
    calls = standing.calls
    wait_for(lambda: time.time() > closes_at + 2, "some time after it")
    assert max(arrivals(stack)) < closes_at + SLACK_S
    assert len(arrivals(stack)) == calls == stack.standing(campaign).calls


def test_a_campaign_goes_on_when_its_hours_open(stack):
    stack.simulate()
    stack.account()
    stack.workers(2)
    campaign = stack.enqueue(people(500), window=window(-120, 120), timezone="UTC", start_at=iso(ahead(8)))
    # Until its start its hours are what the test says; those of its file have begun long ago.
    assert stack.standing(campaign).state == "scheduled"
    opens_at, _ = give_hours(stack, campaign, 11, 100)
    stack.wait_for_state(campaign, "running")
    assert stack.standing(campaign).reason.startswith("outside its hours: goes on at ")
    done = stack.wait_for_state(campaign, "finished")
    assert (done.accepted, done.calls) == (500, 5)
    assert 0 <= min(arrivals(stack)) - opens_at < SOON_S
    everybody_once(stack, 500)


@pytest.mark.parametrize("away", ["nobody", "redis"])
def test_what_is_unsent_at_its_end_expires_and_nothing_arrives_later(stack, away):
    stack.simulate()
    stack.account(requests="5/second", concurrency=2)
    stack.worker()
    expires_at = ahead(5)
    campaign = stack.enqueue(people(10_000), expires_at=iso(expires_at))
    wait_for(lambda: len(arrivals(stack)) > 2, "it sends")
    if away == "redis":
        stack.server.kill()
    wait_for(lambda: time.time() > expires_at.timestamp() + 1, "its end has passed")
    if away == "redis":
        stack.server.start()
    stack.wait_for_state(campaign, "finished")
    standing = stack.standing(campaign)
    sent = standing.accepted + standing.unconfirmed + standing.in_flight
    assert standing.expired == 10_000 - sent > 0
    assert stack.simulator.stats()["accepted"] <= sent
    assert max(arrivals(stack)) < expires_at.timestamp() + SLACK_S
    everybody_once(stack, stack.simulator.stats()["accepted"])


def test_a_small_high_campaign_goes_within_two_slots_of_a_large_one(stack):
    """20,000 stand for a million: who is next is read from the head of the lane, however long the queues are."""
    stack.simulate()
    stack.account(requests="2/second", concurrency=4)
    stack.worker()
    large = stack.enqueue(people(20_000), id="large")
    wait_for(lambda: arrivals(stack), "the large one sends")
    urgent = stack.enqueue(people(100, first=20_000), id="urgent", priority="high")
    queued_at = time.time()
    done = stack.wait_for_state(urgent, "finished", 10)
    assert done.accepted == 100
    first = min(m["request"] for m in stack.simulator.messages() if m["to"] >= "+919000020000")
    calls_before = [each for each in stack.simulator.arrivals() if each["at"] > queued_at and each["number"] < first]
    assert len(calls_before) <= 1
    assert stack.standing(large).state == "running"


def test_an_opt_out_while_the_campaign_is_being_sent_is_honoured(stack):
    stack.simulate()
    stack.account(requests="10/second", concurrency=4)
    stack.worker()
    campaign = stack.enqueue(people(3000))
    wait_for(lambda: len(arrivals(stack)) >= 3, "it sends")
    with connect(stack.redis_url) as client:
        out = [919_000_002_900 + i for i in range(0, 100, 7)]
        suppress(client, SuppressionList(), out, Reason.OPTED_OUT)
    done = stack.wait_for_state(campaign, "finished")
    assert (done.accepted, done.suppressed, done.queued) == (3000 - len(out), len(out), 3000 - len(out))
    assert {message["to"] for message in stack.simulator.messages()}.isdisjoint(f"+{number}" for number in out)
    told = [line for line in stack.record(campaign) if line.outcome == "suppressed"]
    assert {line.reason for line in told} == {"on the global suppression list: opted out"}
