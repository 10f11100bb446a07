"""The main job: everybody once, with their own words, and a record that says the same as the gateway's."""

from collections import Counter

import pytest

from tests.system.stack import people

pytestmark = pytest.mark.system


def agrees_row_by_row(stack, campaign, recipients, body):
    """Hold the per-recipient record against the gateway's: each row's number and words once, under the same id."""
    taken = {message["sid"]: message for message in stack.simulator.messages()}
    record = stack.record(campaign)
    assert [(line.row, line.to) for line in record] == [(i, p["to"]) for i, p in enumerate(recipients, start=1)]
    accepted = [line for line in record if line.outcome == "accepted"]
    assert len(accepted) == len(taken)
    for line in accepted:
        message = taken[line.gateway_id]
        assert (message["to"], message["body"]) == (line.to, body.format(**recipients[line.row - 1]))
    return record


def test_1050_people_get_their_own_words_once_in_11_calls(stack):
    simulator, recipients = stack.simulate(), people(1050)
    stack.account()
    stack.worker()
    campaign = stack.enqueue(recipients)
    done = stack.wait_for_state(campaign, "finished")
    assert (done.accepted, done.calls, done.batches, done.throttled) == (1050, 11, 11, 0)
    assert {arrival["path"] for arrival in simulator.arrivals()} == {"/v1/Accounts/sim/Sms/bulksend.json"}
    assert sorted(arrival["messages"] for arrival in simulator.arrivals()) == [50] + [100] * 10
    agrees_row_by_row(stack, campaign, recipients, "Hello {name}")


def test_one_text_for_all_goes_by_the_static_call_under_the_batchs_reference(stack):
    simulator, recipients = stack.simulate(), people(250)
    stack.account()
    stack.worker()
    campaign = stack.enqueue(recipients, body="Sale today", dlt_entity_id="11010001", dlt_template_id="11070001")
    done = stack.wait_for_state(campaign, "finished")
    assert (done.accepted, done.calls) == (250, 3)
    assert {arrival["path"] for arrival in simulator.arrivals()} == {"/v1/Accounts/sim/Sms/send.json"}
    references = Counter(message["custom_field"] for message in simulator.messages())
    assert references == {"c1:1": 100, "c1:2": 100, "c1:3": 50}
    agrees_row_by_row(stack, campaign, recipients, "Sale today")


@pytest.mark.parametrize("body", ["Hello {name}", "Sale today"], ids=["dynamic", "static"])
def test_a_partial_refusal_rejects_exactly_the_refused_rows(stack, body):
    simulator, recipients = stack.simulate("--reject", "99=23040", "--reject", "7=23005"), people(250)
    stack.account()
    stack.worker()
    campaign = stack.enqueue(recipients, body=body)
    done = stack.wait_for_state(campaign, "finished")
    record = agrees_row_by_row(stack, campaign, recipients, body)
    assert {line.to: line.code for line in record if line.outcome == "rejected"} == {
        person["to"]: "23040" if person["to"].endswith("99") else "23005"
        for person in recipients
        if person["to"].endswith(("99", "7"))
    }
    assert done.codes == {"23005 FAILED_REJECTED_DND": 25, "23040 FAILED_SUBSCRIBER_UNKNOWN": 2}
    assert (done.accepted, done.rejected, done.calls) == (223, 27, 3)
    assert simulator.stats()["by_status"] == {"207": 3}
