"""Delivery reports of each gateway that sends any: to the call's URL or the account's, and what they feed."""

import json
import subprocess
import sys
from collections import Counter

import pytest

from tests.system.gateways import REPORTED, ROWS, add_account, audited, crowd
from tests.system.stack import ROOT, people, wait_for

pytestmark = pytest.mark.system

REPORTS = ("--report-early", "0.2", "--report-twice", "0.5", "--report-shuffle", "--report-failures", "0.1")


def reporting(stack, row, *options, **keys):
    """Start the simulator and the callback service, so that reports about account main come in."""
    simulator = stack.simulate(*options)
    add_account(stack, row, **keys)
    stack.callbacks()
    if row.reported == "account":
        simulator.configure(skycore_postback=postback_url(stack))
    return simulator


def postback_url(stack, account="main"):
    """Return the account's URL as an operator finds it out."""
    command = [sys.executable, "-m", "scripts.cli", "callbacks", "--urls", "--json"]
    said = subprocess.run(command, cwd=ROOT, env=stack.environ, check=True, capture_output=True, timeout=60).stdout
    return {each["account"]: each["url"] for each in json.loads(said)}[account]


def reported(stack, campaign, count):
    """Wait until every message is accepted and reported; return the standing."""

    def told():
        standing = stack.standing(campaign)
        return (standing.accepted, standing.awaiting, standing.state) == (count, 0, "finished") and standing

    return wait_for(told, "all are reported", 60)


@pytest.mark.parametrize("row", REPORTED, ids=str)
def test_reports_early_twice_and_shuffled_and_two_lost_answers_settle_everything(stack, row):
    lost = ("--fault", "reset-accepted#3", "--fault", "hang-accepted#6")
    simulator = reporting(stack, row, "--reports", "0.5", *REPORTS, *lost, requests="200/second", timeout=5.0)
    stack.worker()
    campaign = stack.enqueue(crowd(row), **row.campaign)
    done = reported(stack, campaign, row.rows)
    assert (done.unconfirmed, done.rejected, done.unmatched) == (0, 0, 0)
    assert done.delivered + done.undelivered == row.rows
    lines = stack.record(campaign)
    assert Counter(line.delivery for line in lines) == {"delivered": done.delivered, "undelivered": done.undelivered}
    taken = {message["sid"]: message["to"] for message in simulator.messages()}
    assert {line.gateway_id: line.to for line in lines} == taken
    assert len(set(taken.values())) == row.rows
    audited(stack, campaign)


def test_whatsapp_reports_of_going_too_fast_slow_the_account_down(stack):
    (row,) = (row for row in ROWS if row.gateway == "exotel-whatsapp")
    rejects = ("--report-reject", "3=30007", "--report-reject", "5=30008", "--report-reject", "7=30009")
    reporting(stack, row, "--reports", "0.2", *rejects)
    stack.worker()
    campaign = stack.enqueue(people(100), **row.campaign)
    slowed = wait_for(lambda: (lane := stack.lane()).speed < 1 and lane, "slowed down")
    # Thirty reports about one call are one throttle.
    assert 0.5 <= slowed.speed <= 0.6
    assert slowed.pause_reason == "delivery reports say that messages come too fast"
    done = reported(stack, campaign, 100)
    assert (done.delivered, done.undelivered) == (70, 30)
    assert stack.lane().held == ""
    audited(stack, campaign)
