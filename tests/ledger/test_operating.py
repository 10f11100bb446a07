"""The operator's word bites between two batches, and says nothing twice."""

import pytest

from worker.ledger import keys
from worker.ledger.taking import Stop


def test_after_a_pause_nothing_more_is_given_and_what_is_on_the_wire_ends(ledger):
    ledger.lane()
    ledger.campaign(1, 1)
    taken = ledger.take_one()
    assert ledger.pause(reason="by ann") == "paused"
    ledger.pass_s(1)
    assert ledger.take() == Stop()
    ledger.settle(taken, "a")
    assert (ledger.state(), ledger.fields(keys.campaign("c"))["reason"]) == ("paused", "by ann")
    ledger.lawful()


def test_a_resumed_campaign_goes_on_at_once(ledger):
    ledger.lane()
    ledger.campaign(1, 1, accounts=("main", "spare"))
    ledger.pause()
    ledger.take()
    assert ledger.resume() == "running"
    assert (ledger.due("main"), ledger.due("spare")) == (0, 0)
    assert ledger.fields(keys.campaign("c"))["reason"] == ""
    ledger.take_one()


def test_a_second_pause_says_so_and_keeps_the_first_one_s_reason(ledger):
    ledger.campaign(1)
    ledger.pause(reason="first")
    assert ledger.pause(reason="second") == "paused"
    assert ledger.pause(reason="second") == "paused"
    assert ledger.fields(keys.campaign("c"))["reason"] == "second; before that: first"


def test_resuming_what_runs_changes_nothing(ledger):
    ledger.lane()
    ledger.campaign(1)
    before = ledger.fields(keys.campaign("c"))
    assert ledger.resume() == "running"
    assert ledger.fields(keys.campaign("c")) == before


@pytest.mark.parametrize("word", ["pause", "resume", "cancel"])
def test_a_word_about_a_campaign_that_is_not_there_makes_none(ledger, word):
    assert getattr(ledger, word)() == ""
    assert ledger.redis.keys("*") == []


@pytest.mark.parametrize("word", ["pause", "resume", "cancel"])
def test_a_finished_campaign_stays_so(ledger, word):
    ledger.lane()
    ledger.campaign(1)
    ledger.settle(ledger.take_one(), "a")
    assert getattr(ledger, word)() == "finished"
    assert ledger.counts()["accepted"] == 1


@pytest.mark.parametrize("word", ["pause", "resume", "cancel"])
def test_a_cancelled_campaign_stays_so(ledger, word):
    ledger.lane()
    ledger.campaign(1)
    ledger.cancel()
    assert getattr(ledger, word)() == "cancelled"
    assert ledger.counts()["cancelled"] == 1
    assert ledger.take() == Stop()


def test_a_paused_campaign_can_be_cancelled(ledger):
    ledger.lane()
    ledger.campaign(1, 2, hold="waits")
    assert ledger.cancel() == "cancelled"
    assert ledger.counts()["cancelled"] == 3
    assert ledger.queue() == []
    ledger.lawful()


def test_a_hold_bites_at_the_next_take_and_has_its_reason(ledger):
    ledger.lane()
    ledger.campaign(1, 1)
    ledger.take_one()
    ledger.hold(reason="ask finance")
    ledger.pass_s(1)
    assert ledger.take() == Stop()
    assert (ledger.lane_field("state"), ledger.lane_field("reason")) == ("held", "ask finance")


def test_a_hold_of_one_account_leaves_the_other(ledger):
    ledger.lane("main")
    ledger.lane("spare")
    ledger.campaign(1, 1, accounts=("main", "spare"))
    ledger.hold("main")
    assert ledger.take(account="main") == Stop()
    assert ledger.take_one(account="spare").batch == 1


def test_work_that_becomes_due_does_not_open_a_held_account(ledger):
    ledger.lane()
    ledger.campaign(1)
    ledger.hold()
    ledger.pause()
    ledger.resume()
    assert ledger.take() == Stop()


def test_an_opened_account_is_due_and_its_ring_is_cleared(ledger):
    ledger.campaign(1)
    for _ in range(10):
        ledger.sweep()
        ledger.pass_s(1)
    ledger.hold()
    ledger.open()
    assert ledger.due() == 0
    assert (ledger.lane_field("reason"), ledger.lane_field("ring_until")) == ("", None)
    assert ledger.ring("another").accounts == ("main",)
