"""Delivery reports, from the gateway through the callback service and real workers to the right recipient."""

from collections import Counter

import pytest

from worker.ledger.audit import audit
from worker.ledger.connection import connect
from worker.ledger.suppression import lists_with

from .stack import opened, people, wait_for

pytestmark = pytest.mark.system


@pytest.fixture
def stack(tmp_path):
    with opened(tmp_path) as stack:
        yield stack


def adds_up(stack, campaign):
    with connect(stack.redis_url) as client:
        assert audit(client, campaign) == ()


def test_reports_early_twice_and_shuffled_and_two_lost_answers_settle_everything(stack):
    """2,000 messages: all accepted, none unconfirmed, each delivery exact, nobody sent to twice."""
    simulator = stack.simulate(
        "--reports", "0.5", "--report-early", "0.2", "--report-twice", "0.5", "--report-shuffle",
        "--report-failures", "0.1", "--fault", "reset-accepted#3", "--fault", "hang-accepted#7",
    )  # fmt: skip
    stack.callbacks()
    stack.account(timeout=10.0)  # on a busy machine answers come late, because reports are posted before them
    stack.worker()
    campaign = stack.enqueue(people(2000))
    wait_for(lambda: stack.standing(campaign).awaiting == 0 and stack.standing(campaign).accepted == 2000, "all", 90)
    standing = stack.standing(campaign)
    assert (standing.state, standing.accepted, standing.unconfirmed) == ("finished", 2000, 0)
    assert standing.delivered + standing.undelivered == 2000
    sent = Counter(message["to"] for message in simulator.messages())
    assert len(sent) == 2000
    assert set(sent.values()) == {1}
    rows = stack.record(campaign)
    assert Counter(row.delivery for row in rows) == {
        "delivered": standing.delivered, "undelivered": standing.undelivered,
    }  # fmt: skip
    assert {row.delivery_code for row in rows if row.delivery == "undelivered"} == {"23035"}
    assert all(row.gateway_id for row in rows)
    assert standing.unmatched == 0
    adds_up(stack, campaign)


def test_opted_out_people_and_the_registry_of_dnd_get_on_the_lists(stack):
    stack.simulate("--reports", "0.1", "--report-reject", "00001=23020", "--report-reject", "00002=23005")
    stack.callbacks()
    stack.account()
    stack.worker()
    first = stack.enqueue(people(4), id="first")
    wait_for(lambda: stack.standing(first).awaiting == 0 and stack.standing(first).accepted == 4, "all reported", 30)
    with connect(stack.redis_url) as client:
        found = [[str(each.scope) for each in lists_with(client, 919000000000 + n)] for n in range(4)]
    assert found == [[], ["all"], ["promotional"], []]
    second = stack.enqueue(people(4), id="second")
    standing = stack.wait_for_state(second, "finished")
    assert (standing.suppressed, standing.accepted) == (1, 3)
    adds_up(stack, first)


def test_reports_that_came_while_no_worker_ran_are_applied_by_the_next(stack):
    simulator = stack.simulate("--reports", "1.5")
    stack.callbacks()
    stack.account()
    worker = stack.worker()
    campaign = stack.enqueue(people(50))
    stack.wait_for_state(campaign, "finished")
    worker.kill()
    worker.wait()
    wait_for(lambda: simulator.stats()["reports"]["waiting"] == 0, "all reports posted", 20)
    assert stack.standing(campaign).delivered == 0
    stack.worker()
    wait_for(lambda: stack.standing(campaign).delivered == 50, "applied", 40)
    adds_up(stack, campaign)


def test_who_is_refused_when_sending_for_refusing_messages_goes_on_the_suppression_lists(stack):
    stack.simulate("--reject", "00005=23005", "--reject", "00007=23020", "--reject", "00009=23010")
    stack.account()
    stack.worker()
    done = stack.wait_for_state(stack.enqueue(people(20)), "finished")
    assert (done.accepted, done.rejected) == (17, 3)
    with connect(stack.redis_url) as client:
        found = {i: {(of.scope, why) for of, why in lists_with(client, 919000000000 + i).items()} for i in (5, 7, 9)}
    assert found == {5: {("promotional", "dnd")}, 7: {("all", "opted-out")}, 9: set()}
    assert "9190000" not in stack.logs()
