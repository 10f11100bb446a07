"""Each gateway under a campaign's own trouble: a poisoned body, a resend, an operator's word, a ceiling on messages."""

import pytest

from tests.system.gateways import ONE_BY_ONE, REPORTED, ROWS, add_account, agrees, audited, crowd
from tests.system.stack import people, wait_for
from tests.system.test_gateway_reports import reported, reporting

pytestmark = pytest.mark.system

POISON = "[[poison]]"

one_of_each_kind = pytest.mark.parametrize("row", [ROWS[0], ONE_BY_ONE[0]], ids=str)
one_by_one = pytest.mark.parametrize("row", ONE_BY_ONE[:1], ids=str)
"""What is shown is the engine's, the same for every adapter that takes one recipient a call."""


@one_of_each_kind
def test_one_poisoned_message_is_rejected_alone(stack, row):
    simulator, recipients = stack.simulate(), crowd(row)
    recipients[50]["name"] = POISON
    add_account(stack, row, requests="200/second", concurrency=4)
    stack.worker()
    campaign = stack.enqueue(recipients, **row.campaign)
    done = stack.wait_for_state(campaign, "finished")
    assert (done.accepted, done.rejected, done.unconfirmed) == (row.rows - 1, 1, 0)
    assert agrees(stack, campaign, recipients)["rejected"] == {recipients[50]["to"]}
    assert row.calls(row.rows) <= done.calls == simulator.stats()["requests"] <= row.calls(row.rows) + 16


@one_of_each_kind
def test_a_campaign_that_is_poisoned_throughout_pauses_before_anybody_is_rejected(stack, row):
    stack.simulate()
    recipients = [person | {"name": POISON} for person in crowd(row)]
    add_account(stack, row, requests="200/second", concurrency=4)
    stack.worker()
    campaign = stack.enqueue(recipients, **row.campaign)
    stack.wait_for_state(campaign, "paused")
    wait_for(lambda: stack.standing(campaign).in_flight == 0, "nothing on the wire")
    paused = stack.standing(campaign)
    assert (paused.pending, paused.rejected, paused.unconfirmed) == (row.rows, 0, 0)
    assert "refused" in paused.reason
    assert stack.lane().held == ""
    assert paused.calls <= 20 + 4
    audited(stack, campaign)


@one_by_one
def test_a_lost_answer_is_sent_once_more_where_the_campaign_asks_for_it(stack, row):
    simulator, recipients = stack.simulate("--fault", "reset#20", "--fault", "garbage#40"), crowd(row)
    add_account(stack, row, requests="200/second", concurrency=4, timeout=1.0)
    stack.worker()
    campaign = stack.enqueue(recipients, on_unconfirmed="resend", **row.campaign)
    done = stack.wait_for_state(campaign, "finished")
    assert (done.accepted, done.unconfirmed, done.calls) == (row.rows, 0, row.rows + 2)
    assert (simulator.stats()["distinct"], simulator.stats()["duplicates"]) == (row.rows, 1)
    audited(stack, campaign)


@one_by_one
def test_an_operators_word_bites_between_two_calls_of_one_batch(stack, row):
    simulator, recipients = stack.simulate("--latency", "50"), crowd(row)
    add_account(stack, row, requests="50/second", concurrency=4)
    stack.worker()
    campaign = stack.enqueue(recipients, **row.campaign)
    wait_for(lambda: stack.standing(campaign).accepted >= 10, "under way")
    assert stack.pause(campaign) == "paused"
    wait_for(lambda: stack.standing(campaign).in_flight == 0, "nothing on the wire")
    paused = stack.standing(campaign)
    assert 0 < paused.pending < row.rows
    assert paused.accepted == simulator.stats()["accepted"]
    assert stack.resume(campaign) == "running"
    wait_for(lambda: stack.standing(campaign).accepted >= paused.accepted + 10, "under way again")
    stack.cancel(campaign)
    wait_for(lambda: stack.standing(campaign).in_flight == 0, "nothing on the wire")
    ended = stack.standing(campaign)
    assert (ended.state, ended.pending, ended.accepted + ended.cancelled) == ("cancelled", 0, row.rows)
    assert (simulator.stats()["accepted"], simulator.stats()["duplicates"]) == (ended.accepted, 0)
    audited(stack, campaign)


@pytest.mark.alone
def test_a_ceiling_on_messages_spaces_calls_of_one_recipient(stack):
    (row,) = (row for row in ONE_BY_ONE if row.gateway == "skycore-sms")
    simulator, recipients = stack.simulate("--limit", "40/1s"), crowd(row)
    add_account(stack, row, requests="400/second", messages="40/second")
    stack.worker()
    campaign = stack.enqueue(recipients, **row.campaign)
    done = stack.wait_for_state(campaign, "finished")
    stats = simulator.stats()
    assert (done.accepted, stats["throttled"], stats["worst_window"] <= 40) == (row.rows, 0, True)
    assert (row.rows - 1) / (stats["last_at"] - stats["first_at"]) >= 0.8 * 40


@pytest.mark.parametrize("row", REPORTED, ids=str)
def test_reports_settle_what_a_killed_worker_left_unconfirmed(stack, row):
    mark = stack.directory / "mark"
    breaking = {"BREAK_AT": "after the answer", "BREAK_WITH": "KILL", "BREAK_PASSING": "3", "BREAK_MARGIN_S": "1"}
    # One call at a time: a batch that is taken but not on the wire yet is unconfirmed too, and nobody reports about it.
    reporting(stack, row, "--reports", "2", requests="200/second", concurrency=1, timeout=2.0)
    stack.workers(2, app="tests.system.breaking", BREAK_MARK=str(mark), **breaking)
    count = 5 * row.batch
    campaign = stack.enqueue(people(count), **row.campaign)
    wait_for(mark.exists, "a worker breaks")
    done = reported(stack, campaign, count)
    assert (done.delivered, done.unconfirmed, done.calls) == (count, 0, 5)
    assert stack.simulator.stats()["duplicates"] == 0
    audited(stack, campaign)
