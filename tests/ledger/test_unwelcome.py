"""Who may not be messaged is passed over at the last moment: in the script that writes the intent."""

import pytest

from worker.domain.suppression import EVERY_SENDER, Checks, Reason, Scope, SuppressionList
from worker.ledger.suppression import suppress
from worker.ledger.taking import Batches, Stop, Wait

EVERYBODY = SuppressionList()


@pytest.fixture
def lane(ledger):
    ledger.remember_hours = 48
    ledger.lane(call_us=1000)
    ledger.lane("spare", call_us=1000)
    yield ledger
    ledger.remember_hours = 0


def opt_out(ledger, *rows, of=EVERYBODY, reason=Reason.OPTED_OUT):
    suppress(ledger.redis, of, [919_000_000_000 + row for row in rows], reason)


def rows_in(taken):
    return [number - 919_000_000_000 for number in taken.content().numbers]


def fates(ledger, name="c"):
    return [row.outcome for row in ledger.rows(name)]


def adds_up(ledger, name="c"):
    ledger.lawful(name)
    assert ledger.differences(name) == ()


def test_an_opt_out_since_production_is_honoured(lane):
    lane.campaign(4)
    opt_out(lane, 2, 4)
    taken = lane.next_one()
    assert rows_in(taken) == [1, 3]
    assert lane.counts()["suppressed"] == 2
    adds_up(lane)
    lane.settle(taken, "ar")
    assert fates(lane) == ["accepted", "suppressed", "rejected", "suppressed"]
    assert lane.rows()[1].reason == "on the global suppression list: opted out"
    assert lane.state() == "finished"
    adds_up(lane)


def test_a_batch_of_which_everybody_opted_out_is_settled_by_the_take(lane):
    lane.campaign(2, 1)
    opt_out(lane, 1, 2)
    assert rows_in(lane.next_one()) == [3]
    adds_up(lane)


def test_a_campaign_of_which_everybody_opted_out_is_finished_by_the_take(lane):
    lane.campaign(2)
    opt_out(lane, 1, 2)
    assert isinstance(lane.take(), Stop)
    assert (lane.state(), fates(lane)) == ("finished", ["suppressed"] * 2)
    adds_up(lane)


def test_single_messages_of_a_batch_are_passed_over(lane):
    lane.campaign(4)
    opt_out(lane, 1, 3)
    for row in (2, 4):
        taken = lane.next_one(limit=1)
        assert rows_in(taken) == [row]
        lane.settle(taken, "a")
    assert (lane.state(), fates(lane)) == ("finished", ["suppressed", "accepted"] * 2)
    adds_up(lane)


def test_a_batch_of_single_messages_whose_last_ones_opted_out_ends(lane):
    lane.campaign(2)
    lane.settle(lane.next_one(limit=1), "a")
    opt_out(lane, 2)
    lane.pass_s(1)
    assert isinstance(lane.take(limit=1), Stop)
    assert (lane.state(), fates(lane)) == ("finished", ["accepted", "suppressed"])
    adds_up(lane)


def test_an_opt_out_counts_for_what_came_back_too(lane):
    lane.campaign(2)
    lane.back(lane.next_one())
    opt_out(lane, 1)
    assert rows_in(lane.next_one()) == [2]
    adds_up(lane)


def test_an_opt_out_while_the_call_is_on_the_wire_changes_nothing(lane):
    lane.campaign(2)
    taken = lane.next_one()
    opt_out(lane, 1)
    lane.settle(taken, "aa")
    assert fates(lane) == ["accepted", "accepted"]
    adds_up(lane)


def test_an_accounts_list_holds_for_that_account_alone(lane):
    lane.campaign(1, 1, accounts=("main", "spare"))
    opt_out(lane, 1, of=SuppressionList(kind="account", name="main"))
    assert rows_in(lane.next_one(account="spare")) == [1]


@pytest.mark.parametrize(("is_promotional", "expected"), [(True, [2]), (False, [1, 2])])
def test_dnd_keeps_promotional_messages_only(lane, is_promotional, expected):
    lane.campaign(2, checks=Checks(account="", sender="BRAND", is_promotional=is_promotional))
    opt_out(lane, 1, of=SuppressionList(scope=Scope.PROMOTIONAL), reason=Reason.DND)
    assert rows_in(lane.next_one()) == expected


def test_a_senders_list_holds_for_that_sender(lane):
    lane.campaign(2, checks=Checks(account="", sender="BRAND", is_promotional=False))
    opt_out(lane, 1, of=SuppressionList(kind="sender", name="brand"))
    assert rows_in(lane.next_one()) == [2]


def test_every_senders_list_holds_where_each_message_has_its_own(lane):
    lane.campaign(4, checks=Checks(account="", sender=EVERY_SENDER, is_promotional=True))
    opt_out(lane, 1, of=SuppressionList(kind="sender", name="brand"))
    opt_out(lane, 2, of=SuppressionList(kind="sender", name="other", scope=Scope.PROMOTIONAL))
    opt_out(lane, 3, of=SuppressionList(kind="account", name="spare"))
    assert rows_in(lane.next_one()) == [3, 4]


def capped(ledger, name, hours=24, **options):
    checks = Checks(account="", sender="", is_promotional=False, not_before_hours=hours)
    ledger.campaign(3, name=name, checks=checks, **options)


def test_a_frequency_cap_passes_over_whom_any_campaign_messaged_lately(lane):
    lane.campaign(3)
    lane.settle(lane.next_one(), "aru")
    capped(lane, "d")
    assert rows_in(lane.next_one()) == [2]
    assert [row.outcome for row in lane.rows("d")] == ["suppressed", "in_flight", "suppressed"]
    assert lane.rows("d")[0].reason == "messaged by a campaign within the last 24 hours"
    adds_up(lane, "d")


def test_a_frequency_cap_ends_with_its_hours(lane):
    lane.campaign(3)
    lane.settle(lane.next_one(), "aaa")
    lane.now += 24 * 3600 * 1_000_000 + 60_000_000
    capped(lane, "d")
    lane.lane(call_us=1000)
    assert rows_in(lane.next_one()) == [1, 2, 3]


def test_whoever_was_held_by_a_dead_worker_counts_as_messaged(lane):
    lane.campaign(3)
    lane.next_one()
    lane.pass_sweeping()
    capped(lane, "d")
    assert isinstance(lane.take(), Stop)


def test_what_was_given_back_was_not_messaged(lane):
    lane.campaign(3)
    lane.back(lane.next_one())
    lane.pause()
    capped(lane, "d")
    assert isinstance(lane.take(lookahead_us=1_000_000), Batches)


@pytest.mark.parametrize("proof", ["back", "void", "refuse"])
def test_whoever_a_late_proof_says_was_not_reached_is_messaged_after_all(lane, proof):
    capped(lane, "c")
    taken = lane.next_one()
    lane.pass_sweeping()
    assert {
        "back": lambda: lane.back(taken),
        "void": lambda: lane.void(taken.attempt),
        "refuse": lambda: lane.refuse(taken),
    }[proof]() == ("split" if proof == "refuse" else "late")
    given = lane.take(2, lookahead_us=1_000_000).taken
    assert [row for each in given for row in rows_in(each)] == [1, 2, 3]
    adds_up(lane)


def test_a_late_proof_of_a_message_that_went_alone_is_about_that_one(lane):
    capped(lane, "c")
    first, second = lane.take(2, lookahead_us=1_000_000, limit=1).taken
    lane.pass_sweeping()
    lane.back(first)
    assert (rows_in(lane.next_one(limit=1)), rows_in(second)) == ([1], [2])
    capped(lane, "d")
    assert rows_in(lane.next_one()) == [3]


@pytest.mark.parametrize("letters", ["aru", "apu"])
def test_a_late_answer_tells_whom_other_campaigns_may_message(lane, letters):
    lane.campaign(3)
    taken = lane.next_one()
    lane.pass_sweeping()
    capped(lane, "d", hold="later")
    assert lane.settle(taken, letters) == "late"
    lane.pause()
    lane.resume("d")
    assert rows_in(lane.next_one()) == [2]


def test_a_late_proof_does_not_hide_that_another_campaign_has_messaged_since(lane):
    lane.campaign(3)
    taken = lane.next_one()
    lane.pass_sweeping(100)
    lane.campaign(2, name="e")
    lane.settle(lane.next_one(), "aa")
    assert lane.back(taken) == "late"
    lane.pause()
    capped(lane, "d")
    assert rows_in(lane.next_one()) == [3]


@pytest.mark.parametrize("apart_s", [0, 600])
@pytest.mark.parametrize("proof", ["back", "answer"])
def test_a_late_proof_does_not_hide_whom_another_campaign_had_messaged(lane, proof, apart_s):
    lane.campaign(3, name="e")
    lane.settle(lane.next_one(), "aau")
    lane.pass_s(apart_s)
    lane.lane(call_us=1000)
    lane.campaign(3)
    taken = lane.next_one()
    lane.pass_sweeping()
    assert (lane.back(taken) if proof == "back" else lane.settle(taken, "rrr")) == "late"
    lane.pause()
    capped(lane, "d")
    assert isinstance(lane.take(), Stop)


@pytest.mark.parametrize("proven", ["c", "e"])
@pytest.mark.parametrize("apart_s", [0, 600])
def test_of_two_attempts_that_expired_a_late_proof_takes_back_its_own(lane, apart_s, proven):
    held = {}
    for name in ("c", "e"):
        lane.campaign(3, name=name)
        held[name] = lane.next_one()
        lane.pass_s(apart_s)
        lane.lane(call_us=1000)
    lane.pass_sweeping(50)
    assert lane.back(held.pop(proven)) == "late"
    lane.pause(proven)
    capped(lane, "d")
    assert isinstance(lane.take(), Stop)
    ((name, other),) = held.items()
    assert lane.back(other) == "late"
    lane.pause(name)
    capped(lane, "f")
    assert rows_in(lane.next_one()) == [1, 2, 3]


@pytest.mark.parametrize("limit", [1, 100])
@pytest.mark.parametrize("way", ["by itself", "by hand"])
def test_a_cap_does_not_keep_a_campaign_from_sending_again_what_stayed_unconfirmed(lane, way, limit):
    capped(lane, "c", on_unconfirmed="resend" if way == "by itself" else "hold")
    lane.settle(lane.next_one(), "uau", "lost")
    if way == "by itself":
        lane.resend()
    else:
        lane.resolve("resend")
    opt_out(lane, 1)
    assert rows_in(lane.next_one(limit=limit)) == [3]
    assert fates(lane) == ["suppressed", "accepted", "in_flight"]
    adds_up(lane)


def test_whom_the_first_call_may_have_reached_stays_remembered_whatever_becomes_of_the_second(lane):
    capped(lane, "c")
    lane.settle(lane.next_one(), "uuu", "lost")
    lane.resolve("resend")
    again = lane.next_one()
    lane.pass_sweeping()
    assert lane.back(again) == "late"
    lane.pause()
    capped(lane, "d")
    assert isinstance(lane.take(), Stop)
    lane.resume()
    assert rows_in(lane.next_one()) == [1, 2, 3]


def test_a_long_row_of_batches_without_anybody_welcome_does_not_hold_the_server_up(lane):
    lane.campaign(*[1] * 50)
    opt_out(lane, *range(1, 50))
    assert lane.take() == Wait(seconds=0.0)
    assert lane.counts()["suppressed"] == 20
    adds_up(lane)
    assert lane.take() == Wait(seconds=0.0)
    assert rows_in(lane.take_one()) == [50]
    adds_up(lane)
