"""What a dry run reckons of accounts: calls, pace and cost, by the accounts file and by what the ledger says."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from config.account_models import ExotelSmsAccount, SkycoreSmsAccount
from scripts.cli.estimate import IDLE, Busy, Cost, Load, calls_for, cost_of, seconds_a_call
from worker.intake.campaign import Campaign
from worker.ledger.queues import Waiting
from worker.ledger.reading import Lane

NOW = datetime(2026, 11, 22, 4, 30, tzinfo=UTC)
CAMPAIGN = Campaign(name="offer", accounts=("main",), body="Hi")


def account(name="main", *, requests="1/second", **fields):
    secrets = {"sid": name, "api_key": "k", "api_token": "t"}
    return ExotelSmsAccount.from_table(name, {"gateway": "exotel-sms", "requests": requests, **secrets, **fields})


def one_by_one(requests="10/second"):
    table = {"gateway": "skycore-sms", "base_url": "https://sms.example.com/api", "api_key": "k", "requests": requests}
    return SkycoreSmsAccount.from_table("main", table)


def lane(**fields):
    idle = {"held": "", "paused_until": None, "pause_reason": "", "problems": (), "in_flight": 0, "speed": 1.0}
    fixed = {"account": "main", "call_us": 0, "live_workers": 1, "probe_at": None, "ceilings": frozenset()}
    return Lane(**{**fixed, **idle, **fields})


def waiting(batches, *, messages=None, priority="normal", campaign="other", accounts=("main",)):
    messages = 100 * batches if messages is None else messages
    return Waiting(campaign=campaign, accounts=accounts, priority=priority, messages=messages, batches=batches)


def paces(*accounts, busy=IDLE, calls=None, campaign=CAMPAIGN):
    load = Load(campaign=campaign, campaign_id="c", calls=calls or {100: 10}, jitter_s=0.0)
    return [
        ((pace.free_at - NOW).total_seconds(), pytest.approx(pace.call_s)) for pace in load.paces(accounts, busy, NOW)
    ]


def test_a_batch_is_a_call_or_a_call_a_message_as_the_gateway_takes_them():
    assert calls_for({100: 3, 7: 1}, [account()]) == {100: 3, 7: 1}
    assert calls_for({100: 3, 7: 1}, [one_by_one()]) == {1: 307}
    assert calls_for({100: 3, 7: 1}, []) == {100: 3, 7: 1}


@pytest.mark.parametrize(
    ("rates", "calls", "seconds"),
    [
        ({"requests": "50/minute"}, {100: 10}, 1.2 * 1.01),
        ({"requests": "50/minute", "messages": "10/second"}, {100: 10}, 10 * 1.01),
        ({"requests": "50/minute", "messages": "10/second"}, {100: 1, 1: 1}, (10 + 1.2) / 2 * 1.01),
        ({"requests": "50/minute"}, {}, 1.2 * 1.01),
    ],
)
def test_both_ceilings_space_the_calls_by_their_size(rates, calls, seconds):
    assert seconds_a_call(account(**rates), calls, 0.0) == pytest.approx(seconds)


def test_an_idle_account_begins_at_once_and_a_held_one_not_at_all():
    assert paces(account()) == [(0, 1.01)]
    assert paces(account(), account("spare"), busy=Busy(lanes={"main": lane(held="no balance")}, waiting=())) == [
        (0, 1.01)
    ]


def test_a_slowed_and_paused_account_is_taken_as_it_stands():
    slow = lane(speed=0.5, paused_until=NOW + timedelta(seconds=30))
    assert paces(account(), busy=Busy(lanes={"main": slow}, waiting=())) == [(30, 2.02)]


@pytest.mark.parametrize(
    ("others", "calls_before"),
    [
        ([waiting(4)], 4),
        ([waiting(1000)], 10),  # they take turns
        ([waiting(1000, priority="high")], 1000),
        ([waiting(1000, priority="low")], 0),
        ([waiting(4), waiting(3)], 7),
        ([waiting(4, accounts=("main", "spare"))], 2),
        ([waiting(4, accounts=("spare",))], 0),
        ([waiting(4, campaign="c")], 0),  # it is this one itself
        ([waiting(0, messages=0)], 0),
    ],
)
def test_what_waits_in_the_lane_comes_before_as_its_turn_says(others, calls_before):
    ((free_s, _),) = paces(account(), busy=Busy(lanes={}, waiting=tuple(others)))
    assert free_s == pytest.approx(1.01 * calls_before)


def test_where_a_call_takes_one_message_those_that_wait_count_by_message():
    ((free_s, _),) = paces(one_by_one(), calls={1: 1000}, busy=Busy(lanes={}, waiting=(waiting(2, messages=150),)))
    assert free_s == pytest.approx(150 * 0.101)


def test_a_cost_is_told_where_every_account_has_a_price():
    assert cost_of(10, [account(), account("spare", price_per_segment=0.2)]) is None
    assert cost_of(10, []) is None
    one = cost_of(1234, [account(price_per_segment=0.18)])
    assert (str(one), one.highest) == ("222.12 (price_per_segment = 0.18)", 222.12)
    pool = cost_of(1234, [account(price_per_segment=0.18), account("spare", price_per_segment=0.1)])
    assert pool == Cost(segments=1234, least=Decimal("0.1"), most=Decimal("0.18"))
    assert (str(pool), pool.highest) == ("123.40 to 222.12 (price_per_segment = 0.1 to 0.18)", 222.12)
    assert cost_of(10, [account(price_per_segment=0.0)]).highest == 0
