"""What Exotel WhatsApp takes of a call only in part, for its account's reason, costs nobody: the rest goes again."""

import pytest

from tests.system.gateways import ROWS, add_account, agrees
from tests.system.stack import people, wait_for

pytestmark = pytest.mark.system

(WHATSAPP,) = [row for row in ROWS if row.gateway == "exotel-whatsapp"]


def test_the_messages_of_a_call_that_were_too_fast_go_again_alone_and_the_account_slows_down(stack):
    simulator = stack.simulate("--fault", "429-partly#2-3", "--reject", f"7={WHATSAPP.refusal}")
    recipients = people(500)
    # One call at a time: which calls meet the fault is then known.
    add_account(stack, WHATSAPP, requests="200/second", concurrency=1)
    stack.worker()
    campaign = stack.enqueue(recipients, **WHATSAPP.campaign)
    done = stack.wait_for_state(campaign, "finished")
    assert (done.accepted, done.rejected, done.unconfirmed) == (450, 50, 0)
    assert (done.throttled, done.calls) == (2, 7)
    assert stack.lane().speed < 1
    arrivals = simulator.arrivals()
    # A fifth of a hundred waits, then a fifth of that; one number in ten is refused.
    assert [arrival["messages"] for arrival in arrivals] == [90, 72, 14, 4, 90, 90, 90]
    at = [arrival["at"] for arrival in arrivals]
    assert min(at[2] - at[1], at[3] - at[2]) >= 0.5
    assert agrees(stack, campaign, recipients)["rejected"] == {
        person["to"] for person in recipients if person["to"].endswith("7")
    }
    assert simulator.stats()["duplicates"] == 0


@pytest.mark.parametrize(("kind", "why"), [("402-partly", "recharge"), ("429-partly", "too many calls")])
def test_whatever_share_of_the_calls_is_taken_in_part_everybody_is_accepted_once(stack, kind, why):
    simulator = stack.simulate("--fault", f"{kind}:1", "--latency", "20")
    recipients = people(3000)
    add_account(stack, WHATSAPP, requests="200/second", concurrency=4)
    stack.workers(2)
    campaign = stack.enqueue(recipients, **WHATSAPP.campaign)
    lane = wait_for(lambda: (found := stack.lane()).words and found, "the account is halted")
    assert why in lane.words
    simulator.configure(faults=[])
    if kind == "402-partly":
        assert lane.held
    stack.open()
    done = stack.wait_for_state(campaign, "finished")
    assert (done.accepted, done.rejected, done.unconfirmed) == (3000, 0, 0)
    assert (done.throttled > 0) == (kind == "429-partly")
    assert set(agrees(stack, campaign, recipients)) == {"accepted"}
    assert (simulator.stats()["accepted"], simulator.stats()["duplicates"]) == (3000, 0)
