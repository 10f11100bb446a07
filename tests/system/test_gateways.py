"""Each gateway end to end: everybody once, and what is refused, lost or wrong with the account costs nobody else."""

import pytest

from tests.system.gateways import ONE_BY_ONE, ROWS, add_account, agrees, audited, crowd
from tests.system.stack import people, wait_for

pytestmark = pytest.mark.system

LOST = ("reset-accepted", "hang-accepted", "garbage", "500")
"""Faults after which the answer does not tell; the last accepts nobody."""

every_gateway = pytest.mark.parametrize("row", ROWS, ids=str)


@every_gateway
def test_everybody_is_accepted_once_in_their_own_words_and_as_few_calls_as_can_be(stack, row):
    simulator, recipients = stack.simulate("--latency", "20"), crowd(row)
    add_account(stack, row, requests="200/second", concurrency=4)
    stack.worker()
    campaign = stack.enqueue(recipients, **row.campaign)
    done = stack.wait_for_state(campaign, "finished")
    assert (done.accepted, done.calls, done.batches) == (row.rows, row.calls(row.rows), -(-row.rows // 100))
    assert (done.throttled, done.codes) == (0, {})
    stats = simulator.stats()
    assert (stats["requests"], stats["distinct"], set(stats["gateways"])) == (done.calls, row.rows, {row.gateway})
    assert 1 < stats["concurrent_max"] <= 4
    assert agrees(stack, campaign, recipients) == {"accepted": {person["to"] for person in recipients}}


@every_gateway
def test_refused_people_are_rejected_and_lost_answers_leave_exactly_their_own_unconfirmed(stack, row):
    step = max(2, row.calls(row.rows) // 5)
    met = {step * i: kind for i, kind in enumerate(LOST, start=1)}
    faults = [word for number, kind in met.items() for word in ("--fault", f"{kind}#{number}")]
    # One call for each fault and two more between: never five lost in a row.
    simulator, recipients = stack.simulate(*faults, "--reject", f"7={row.refusal}"), people(row.rows + 4 * row.batch)
    add_account(stack, row, requests="200/second", concurrency=4, timeout=1.0)
    stack.worker()
    campaign = stack.enqueue(recipients, **row.campaign)
    done = stack.wait_for_state(campaign, "finished")
    assert simulator.stats()["faults"] == dict.fromkeys(LOST, 1)
    assert done.calls == simulator.stats()["requests"]
    assert simulator.stats()["duplicates"] == 0

    outcomes = agrees(stack, campaign, recipients)
    refused = {person["to"] for person in recipients if person["to"].endswith("7")}
    assert len(outcomes["unconfirmed"]) == done.unconfirmed == len(LOST) * row.batch
    assert outcomes["rejected"] == refused - outcomes["unconfirmed"]
    assert {line.code for line in stack.record(campaign) if line.outcome == "rejected"} == {row.refusal}
    codes = {code: count for code, count in done.codes.items() if code.startswith(row.refusal)}
    assert list(codes.values()) == [len(outcomes["rejected"])]
    requests = {message["to"]: message["request"] for message in simulator.messages()}
    known = {requests[number] for number in outcomes["accepted"]}
    assert not known & set(met)


@every_gateway
def test_wrong_credentials_hold_the_account_until_they_are_mended_and_it_is_opened(stack, row):
    simulator, recipients = stack.simulate(), crowd(row)
    secret = next(iter(row.secrets))
    add_account(stack, row, **{secret: "made-up-and-wrong"}, requests="200/second", concurrency=4)
    stack.worker()
    campaign = stack.enqueue(recipients, **row.campaign)
    held = wait_for(lambda: stack.lane().held, "held")
    assert row.held in held
    assert "open the account" in held
    wait_for(lambda: stack.standing(campaign).in_flight == 0, "nothing on the wire")
    standing = stack.standing(campaign)
    assert (standing.state, standing.pending, standing.calls <= 4) == ("running", row.rows, True)
    assert simulator.stats()["accepted"] == 0
    audited(stack, campaign)

    stack.change_account("made-up-and-wrong", {"--api-key": "sim-key", "--api-token": "sim-token"}[row.secrets[secret]])
    stack.open()
    stack.wait_for_state(campaign, "finished")
    assert set(agrees(stack, campaign, recipients)) == {"accepted"}
    assert simulator.stats()["duplicates"] == 0


@every_gateway
def test_an_account_without_balance_is_held_and_goes_on_by_itself_when_it_is_recharged(stack, row):
    enough_for = 3 * row.batch
    simulator, recipients = stack.simulate("--balance", str(enough_for)), crowd(row)
    add_account(stack, row, requests="200/second", concurrency=2, probe_every=10.0)
    stack.worker()
    campaign = stack.enqueue(recipients, **row.campaign)
    held = wait_for(lambda: stack.lane().held, "held")
    wait_for(lambda: stack.standing(campaign).in_flight == 0, "nothing on the wire")
    standing = stack.standing(campaign)
    assert standing.state == "running"
    assert standing.reason.startswith(f"account main is held: {held}; tried again at ")
    assert (standing.accepted, standing.pending) == (enough_for, row.rows - enough_for)
    audited(stack, campaign)

    simulator.configure(balance=10 * row.rows)
    stack.wait_for_state(campaign, "finished", 25)
    assert stack.lane().held == ""
    assert set(agrees(stack, campaign, recipients)) == {"accepted"}
    assert simulator.stats()["duplicates"] == 0


@every_gateway
def test_a_pool_uses_both_of_its_accounts_and_the_other_takes_what_a_held_one_leaves(stack, row):
    simulator, recipients = stack.simulate("--sid", "sim", "--sid", "other", "--latency", "100"), crowd(row)
    for name in ("main", "other"):
        login = {row.login: "other"} if name == "other" else {}
        add_account(stack, row, name, **login, requests="100/second", concurrency=2)
    stack.worker()
    both = stack.enqueue(recipients, accounts=["main", "other"], **row.campaign)
    stack.wait_for_state(both, "finished")
    used = {line.account for line in stack.record(both)}
    assert used == {"main", "other"}
    assert len({arrival["sid"] for arrival in simulator.arrivals()}) == 2
    assert set(agrees(stack, both, recipients)) == {"accepted"}

    # The second account is unknown from now on: held at its first call, which is the other's to send.
    simulator.configure(sids=["sim"])
    more = people(row.rows, first=row.rows)
    one = stack.enqueue(more, id="c2", accounts=["main", "other"], **row.campaign)
    done = stack.wait_for_state(one, "finished")
    assert (done.accepted, done.rejected, done.unconfirmed) == (row.rows, 0, 0)
    assert {line.account for line in stack.record(one)} == {"main"}
    assert stack.lane("other").held
    assert (stack.lane("main").held, simulator.stats()["duplicates"]) == ("", 0)
    audited(stack, one)


@pytest.mark.parametrize("row", ONE_BY_ONE, ids=str)
def test_a_worker_killed_amid_calls_of_one_recipient_costs_at_most_those_on_the_wire(stack, row):
    simulator, recipients = stack.simulate("--latency", "50"), crowd(row)
    add_account(stack, row, requests="200/second", concurrency=4, timeout=2.0)
    mark = stack.directory / "mark"
    stack.workers(
        2, app="tests.system.breaking", BREAK_AT="after the request", BREAK_WITH="KILL", BREAK_PASSING="40",
        BREAK_MARK=str(mark), BREAK_MARGIN_S="1",
    )  # fmt: skip
    campaign = stack.enqueue(recipients, **row.campaign)
    wait_for(mark.exists, "a worker breaks")
    done = stack.wait_for_state(campaign, "finished")
    assert 1 <= done.unconfirmed <= 4
    assert (done.accepted, done.rejected) == (row.rows - done.unconfirmed, 0)
    assert (done.calls, done.batches) == (row.rows, -(-row.rows // 100))
    stats = simulator.stats()
    assert (stats["duplicates"], stats["concurrent_max"] <= 4) == (0, True)
    assert done.accepted < stats["accepted"] <= row.rows
    assert set(agrees(stack, campaign, recipients)) == {"accepted", "unconfirmed"}


def test_single_sends_of_exotel_sms_are_accepted_refused_throttled_and_lost_one_by_one(stack):
    simulator = stack.simulate("--reject", "2=23040", "--fault", "429#4", "--fault", "garbage#5", "--retry-after", "1")
    stack.account(timeout=1.0)
    stack.worker()
    done = {}
    for person in people(4, first=1):
        done[person["name"]] = stack.enqueue([person], id=person["name"].lower())
        stack.wait_for_state(done[person["name"]], "finished")
        audited(stack, done[person["name"]])
    assert {arrival["path"] for arrival in simulator.arrivals()} == {"/v1/Accounts/sim/Sms/send.json"}
    lines = {name: stack.record(campaign)[0] for name, campaign in done.items()}
    assert [(line.outcome, line.code) for line in lines.values()] == [
        ("accepted", "21010"),
        ("rejected", "23040"),
        ("accepted", "21010"),
        ("unconfirmed", None),
    ]
    assert [stack.standing(campaign).throttled for campaign in done.values()] == [0, 0, 0, 1]
    taken = {message["sid"]: (message["to"], message["body"]) for message in simulator.messages()}
    assert [taken[lines[name].gateway_id] for name in ("P1", "P3")] == [
        ("+919000000001", "Hello P1"),
        ("+919000000003", "Hello P3"),
    ]
