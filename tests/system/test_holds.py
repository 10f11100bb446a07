"""A mistake of ours, of the account or of the gateway burns no recipients: it is held, said in words, and mended."""

import pytest

from tests.system.stack import free_port, people, wait_for

pytestmark = pytest.mark.system

CONCURRENCY = 4
MOST_LOST = 100 * (CONCURRENCY + 4)


def held(stack, campaign):
    """Wait until the account is held and nothing is on the wire; return the standing."""
    wait_for(lambda: stack.lane().held, "account held", 15)
    wait_for(lambda: stack.standing(campaign).in_flight == 0, "nothing on the wire", 15)
    standing = stack.standing(campaign)
    assert (standing.state, standing.reason) == ("running", stack.lane().words)
    return standing


@pytest.mark.parametrize(
    ("option", "repair", "words"),
    [
        (("--balance", "300"), {"balance": 5000}, ("balance", "recharge", "open the account")),
        (("--fault", "inactive:1"), {"faults": []}, ("inactive", "activate", "open the account")),
        (("--fault", "trial:1"), {"faults": []}, ("trial", "open the account")),
    ],
    ids=["balance", "inactive", "trial"],
)
def test_what_is_wrong_with_the_account_holds_it_until_it_is_mended(stack, option, repair, words):
    simulator = stack.simulate(*option)
    stack.account(concurrency=CONCURRENCY)
    stack.worker()
    campaign = stack.enqueue(people(1500))
    standing = held(stack, campaign)
    assert all(word in standing.reason for word in words), standing.reason
    assert (standing.rejected, standing.unconfirmed) == (0, 0)
    assert standing.accepted == simulator.stats()["accepted"] == 1500 - standing.pending
    assert standing.calls <= standing.accepted // 100 + CONCURRENCY

    simulator.configure(**repair)
    stack.open()
    done = stack.wait_for_state(campaign, "finished")
    assert (done.accepted, simulator.stats()["accepted"], simulator.stats()["distinct"]) == (1500, 1500, 1500)


def test_wrong_credentials_hold_the_account_until_the_accounts_file_is_mended(stack):
    simulator = stack.simulate()
    stack.account(concurrency=CONCURRENCY, api_token="wrong-token")
    stack.worker()
    campaign = stack.enqueue(people(1500))
    standing = held(stack, campaign)
    assert all(word in standing.reason for word in ("credentials", "api_key and api_token", "open the account"))
    assert (standing.pending, simulator.stats()["accepted"]) == (1500, 0)
    assert standing.calls <= CONCURRENCY

    stack.change_account("wrong-token", "sim-token")
    stack.open()
    done = stack.wait_for_state(campaign, "finished")
    assert (done.accepted, simulator.stats()["distinct"], simulator.stats()["duplicates"]) == (1500, 1500, 0)


@pytest.mark.parametrize("fault", ["500", "garbage", "hang"])
def test_a_gateway_without_a_usable_answer_holds_the_account_within_a_few_calls(stack, fault):
    simulator = stack.simulate("--fault", f"{fault}:1")
    stack.account(concurrency=CONCURRENCY, timeout=1.0)
    stack.worker()
    campaign = stack.enqueue(people(2000))
    standing = held(stack, campaign)
    assert "5 calls in a row had no usable answer" in standing.reason, standing.reason
    assert (standing.rejected, standing.accepted) == (0, 0)
    assert 500 <= standing.unconfirmed <= MOST_LOST
    assert standing.unconfirmed == 100 * standing.calls == 100 * simulator.stats()["requests"]

    simulator.configure(faults=[])
    stack.open()
    done = stack.wait_for_state(campaign, "finished")
    assert (done.accepted, done.unconfirmed) == (2000 - standing.unconfirmed, standing.unconfirmed)
    assert (done.calls, simulator.stats()["duplicates"]) == (20, 0)
    assert "open the account" in standing.reason, standing.reason


@pytest.mark.parametrize(
    ("keys", "words", "most_calls"),
    [
        # The body of one message may be at fault, so twenty refusals in a row are needed to blame the campaign.
        ({"body": "[[poison]] {name}"}, ("refused", "40202"), 20 + CONCURRENCY),
        ({"body": "Sale today", "from": None}, ("default sender", "set from", "resume the campaign"), CONCURRENCY),
    ],
    ids=["poison", "no-sender"],
)
def test_a_campaign_that_the_gateway_refuses_whole_pauses_before_a_batch_is_burnt(stack, keys, words, most_calls):
    simulator = stack.simulate()
    stack.account(concurrency=CONCURRENCY)
    stack.worker()
    campaign = stack.enqueue(people(1500), **keys)
    stack.wait_for_state(campaign, "paused")
    wait_for(lambda: stack.standing(campaign).in_flight == 0, "nothing on the wire")
    paused = stack.standing(campaign)
    assert all(word in paused.reason for word in words), paused.reason
    assert (paused.pending, paused.rejected, paused.unconfirmed) == (1500, 0, 0)
    assert stack.lane().held == ""
    calls = simulator.stats()["requests"]
    assert paused.calls == calls <= most_calls

    # Resumed while nothing has changed it pauses again, and has burnt nobody either.
    assert stack.resume(campaign) == "running"
    wait_for(lambda: stack.standing(campaign).calls > calls, "asked again")
    stack.wait_for_state(campaign, "paused")
    wait_for(lambda: stack.standing(campaign).in_flight == 0, "nothing on the wire")
    assert stack.standing(campaign).pending == 1500


def test_a_campaign_paused_by_a_refusal_goes_on_when_it_is_resumed_after_the_cause_is_gone(stack):
    simulator = stack.simulate("--fault", "400#3-100")
    stack.account(concurrency=CONCURRENCY)
    stack.worker()
    campaign = stack.enqueue(people(1500))
    stack.wait_for_state(campaign, "paused")
    wait_for(lambda: stack.standing(campaign).in_flight == 0, "nothing on the wire")
    assert (stack.standing(campaign).accepted, stack.standing(campaign).pending) == (200, 1300)
    simulator.configure(faults=[])
    assert stack.resume(campaign) == "running"
    done = stack.wait_for_state(campaign, "finished")
    assert (done.accepted, done.rejected, simulator.stats()["distinct"]) == (1500, 0, 1500)
    assert simulator.stats()["duplicates"] == 0


def test_an_unreachable_gateway_is_waited_for_with_a_back_off_and_costs_nobody(stack):
    port = free_port()
    stack.account(url=f"http://127.0.0.1:{port}")
    stack.worker()
    campaign = stack.enqueue(people(500))
    backing_off = wait_for(lambda: (r := stack.standing(campaign).reason) and "no connection" in r and r, "a reason")
    assert f"no connection to 127.0.0.1:{port}: refused" in backing_off
    assert "pauses until" in backing_off
    # The next try is refused too, and the pauses grow.
    first = stack.lane().paused_until
    wait_for(lambda: (until := stack.lane().paused_until) and until > first, "backs off again")
    standing = stack.standing(campaign)
    assert (standing.pending, standing.calls, standing.unconfirmed) == (500, 0, 0)

    simulator = stack.simulate("--port", str(port))
    until = stack.lane().paused_until
    done = stack.wait_for_state(campaign, "finished")
    assert (done.accepted, done.calls, done.unconfirmed, done.throttled) == (500, 5, 0, 0)
    assert simulator.stats()["duplicates"] == 0
    if until is not None:
        assert simulator.stats()["first_at"] <= until.timestamp() + 1.0
