"""Resend: what stayed unconfirmed goes out once more where the campaign asks for it, and never a third time."""

from datetime import UTC, datetime

import pytest

from worker.ledger import keys
from worker.ledger.audit import audit
from worker.ledger.errors import LedgerBroken
from worker.ledger.packing import unpack
from worker.ledger.reading import standings
from worker.ledger.record import report_rows
from worker.ledger.scripts import load
from worker.ledger.stored import NO_ANSWER
from worker.ledger.taking import Stop

S = 1_000_000
T0 = 1_800_000_000 * S
EXPIRY_S = 40
RESENDS = f"{keys.PREFIX}resends"


def planned(ledger):
    """Return the batches that are due for their resend, with the seconds until then."""
    members = ledger.redis.zrange(RESENDS, 0, -1, withscores=True)
    count = sum(int(ledger.fields(key.decode())["resends"]) for key in ledger.redis.keys(f"{keys.PREFIX}c:?"))
    assert count == len(members)
    return {member.decode(): (due - ledger.now) / S for member, due in members}


def sweep_for(ledger, seconds):
    """Sweep every second for so long, ending with a sweep; return what the last one found due."""
    for _ in range(seconds):
        ledger.pass_s(1)
        swept = ledger.sweep()
    return swept.resends


def outcomes(ledger):
    """Return (outcome, batch, attempts) of each row, after holding the audit against the campaign."""
    assert audit(ledger.redis, "c") == ()
    ledger.lawful()
    return [(line.outcome, line.batch, line.attempts) for line in report_rows(ledger.redis, "c")]


def resent(ledger):
    return {int(n) for n in ledger.redis.smembers(keys.resent("c"))}


@pytest.fixture
def taken(ledger):
    """A campaign that resends, of one batch of three, on the wire."""
    ledger.lane()
    ledger.campaign(3, on_unconfirmed="resend")
    ledger.sweep()
    return ledger.take_one(expiry_s=EXPIRY_S)


@pytest.fixture
def expired(ledger, taken):
    sweep_for(ledger, EXPIRY_S)
    assert ledger.batch()["expired"] == "1"
    return taken


def test_a_campaign_that_holds_resends_nothing(ledger):
    ledger.lane()
    ledger.campaign(1, 1)
    ledger.sweep()
    ledger.settle(ledger.take_one(), "u", "lost")
    ledger.next_one()
    assert sweep_for(ledger, 2 * EXPIRY_S + 2) == ()
    assert planned(ledger) == {}
    assert [ledger.resend(n) for n in (1, 2)] == ["gone", "gone"]
    assert outcomes(ledger) == [("unconfirmed", 1, 1), ("unconfirmed", 2, 1)]
    assert ledger.state() == "finished"


def test_what_its_holder_called_unconfirmed_is_due_at_once(ledger, taken):
    ledger.settle(taken, "auu")
    assert planned(ledger) == {"c 1": 0}
    ledger.pass_s(1)
    assert ledger.sweep().resends == (("c", 1),)


def test_what_expired_is_due_after_one_more_expiry(ledger, expired):
    assert planned(ledger) == {"c 1": EXPIRY_S}
    assert sweep_for(ledger, EXPIRY_S - 1) == ()
    assert ledger.resend() == "gone"
    assert sweep_for(ledger, 1) == (("c", 1),)
    assert ledger.resend() == "resent"


def test_the_one_more_expiry_is_the_longest_that_was_ever_given(ledger):
    ledger.lane()
    ledger.campaign(1, 1, on_unconfirmed="resend")
    ledger.sweep()
    ledger.take_one(expiry_s=20)
    ledger.settle(ledger.next_one(expiry_s=70), "a")
    sweep_for(ledger, 19)
    assert planned(ledger) == {"c 1": 70}


def test_every_sweep_names_a_batch_until_it_is_resent(ledger, taken):
    ledger.settle(taken, "uuu", "lost")
    assert [sweep_for(ledger, 1) for _ in range(2)] == [(("c", 1),)] * 2
    ledger.resend()
    assert sweep_for(ledger, 1) == ()


def test_exactly_the_unconfirmed_messages_move_to_a_batch_behind_the_others(ledger):
    ledger.lane()
    ledger.campaign(4, 2, on_unconfirmed="resend")
    ledger.settle(ledger.take_one(), "auru")
    assert ledger.resend() == "resent"
    assert ledger.queue() == [2, 3]
    assert (resent(ledger), planned(ledger)) == ({3}, {})
    assert (ledger.batch()["state"], ledger.batch()["children"]) == ("settled", "3")
    counts = {"accepted": 1, "rejected": 1, "pending": 4, "queued": 6, "rows": 6, "calls": 1, "batches": 2}
    assert ledger.counts() == counts
    assert outcomes(ledger) == [
        ("accepted", 1, 1),
        ("pending", 3, 1),
        ("rejected", 1, 1),
        ("pending", 3, 1),
        ("pending", 2, 0),
        ("pending", 2, 0),
    ]
    ledger.settle(ledger.next_one(), "aa")
    second = ledger.next_one()
    assert unpack(second.packed).rows == (2, 4)
    assert outcomes(ledger)[1] == ("in_flight", 3, 2)
    ledger.settle(second, "ra")
    assert [outcomes(ledger)[place] for place in (1, 3)] == [("rejected", 3, 2), ("accepted", 3, 2)]
    assert ledger.state() == "finished"


def test_all_of_an_expired_batch_moves(ledger, expired):
    sweep_for(ledger, EXPIRY_S)
    assert ledger.resend() == "resent"
    assert (ledger.batch()["state"], ledger.batch()["children"]) == ("settled", "2")
    assert outcomes(ledger) == [("pending", 2, 1)] * 3
    ledger.settle(ledger.next_one(), "aru")
    assert outcomes(ledger) == [("accepted", 2, 2), ("rejected", 2, 2), ("unconfirmed", 2, 2)]
    assert ledger.counts()["calls"] == 2


def test_the_lane_hears_of_a_resend_though_it_had_nothing_left(ledger, taken):
    ledger.settle(taken, "uuu", "lost")
    ledger.pass_s(1)
    assert ledger.take() == Stop()
    assert ledger.due() is None
    ledger.resend()
    assert ledger.due() == 0


def test_a_campaign_is_not_finished_while_a_resend_is_due(ledger, taken):
    ledger.settle(taken, "auu")
    assert (ledger.counts().get("pending", 0), ledger.state()) == (0, "running")
    standing = standings(ledger.redis, ["c"])[0]
    assert standing.reason == "what stayed unconfirmed waits to be sent once more"
    ledger.resend()
    ledger.settle(ledger.next_one(), "aa")
    assert ledger.state() == "finished"


def test_a_campaign_whose_batch_expired_waits_for_its_resend(ledger, expired):
    assert ledger.state() == "running"
    assert outcomes(ledger) == [("unconfirmed", 1, 1)] * 3
    assert next(report_rows(ledger.redis, "c")).reason == NO_ANSWER


def test_a_resend_is_never_resent(ledger, taken):
    ledger.settle(taken, "auu")
    ledger.resend()
    ledger.settle(ledger.next_one(), "ua")
    assert planned(ledger) == {}
    assert ledger.resend(2) == "gone"
    assert outcomes(ledger) == [("accepted", 1, 1), ("unconfirmed", 2, 2), ("accepted", 2, 2)]
    assert ledger.state() == "finished"


def test_a_resend_whose_worker_vanished_is_not_resent(ledger, taken):
    ledger.settle(taken, "uuu", "lost")
    ledger.resend()
    ledger.next_one(expiry_s=EXPIRY_S)
    sweep_for(ledger, 2 * EXPIRY_S + 1)
    assert planned(ledger) == {}
    assert ledger.state() == "finished"
    assert outcomes(ledger) == [("unconfirmed", 2, 2)] * 3


def test_the_halves_of_a_refused_resend_are_resends_too(ledger, taken):
    ledger.settle(taken, "uua")
    ledger.resend()
    assert ledger.refuse(ledger.next_one()) == "split"
    assert resent(ledger) == {2, 3, 4}
    for _ in range(2):
        ledger.settle(ledger.next_one(), "u", "lost")
    assert planned(ledger) == {}
    assert outcomes(ledger) == [("unconfirmed", 3, 2), ("unconfirmed", 4, 2), ("accepted", 1, 1)]
    assert ledger.state() == "finished"


def test_the_halves_of_a_refused_batch_may_be_resent(ledger, taken):
    ledger.refuse(taken)
    ledger.settle(ledger.next_one(), "u", "lost")
    ledger.settle(ledger.next_one(), "au")
    assert planned(ledger) == {"c 2": -1, "c 3": 0}
    assert [ledger.resend(n) for n in (2, 3)] == ["resent", "resent"]
    assert outcomes(ledger) == [("pending", 4, 1), ("accepted", 3, 1), ("pending", 5, 1)]


def test_a_resend_that_is_given_back_goes_again_and_is_still_the_only_one(ledger, taken):
    ledger.settle(taken, "uuu", "lost")
    ledger.resend()
    assert ledger.back(ledger.next_one()) == "back"
    ledger.settle(ledger.next_one(), "uuu", "lost")
    assert planned(ledger) == {}
    assert outcomes(ledger) == [("unconfirmed", 2, 2)] * 3


@pytest.mark.parametrize("letters", ["aaa", "arr"])
def test_a_late_answer_before_the_resend_corrects_the_batch_and_cancels_it(ledger, expired, letters):
    assert ledger.settle(expired, letters) == "late"
    assert planned(ledger) == {}
    assert ledger.state() == "finished"
    assert sweep_for(ledger, EXPIRY_S + 1) == ()
    assert ledger.resend() == "gone"
    words = {"a": "accepted", "r": "rejected"}
    assert outcomes(ledger) == [(words[letter], 1, 1) for letter in letters]


def test_what_a_late_answer_leaves_unconfirmed_is_due_at_once(ledger, expired):
    assert ledger.settle(expired, "aua") == "late"
    assert planned(ledger) == {"c 1": 0}
    assert ledger.state() == "running"
    assert ledger.resend() == "resent"
    assert outcomes(ledger) == [("accepted", 1, 1), ("pending", 2, 1), ("accepted", 1, 1)]


@pytest.mark.parametrize("proof", ["given back", "void"])
def test_a_late_proof_before_the_resend_puts_the_batch_back_and_cancels_it(ledger, expired, proof):
    assert (ledger.back(expired) if proof == "given back" else ledger.void(expired.attempt)) == "late"
    assert planned(ledger) == {}
    assert sweep_for(ledger, EXPIRY_S + 1) == ()
    assert ledger.resend() == "gone"
    assert outcomes(ledger) == [("pending", 1, 0)] * 3
    ledger.settle(ledger.next_one(), "uuu", "lost")
    assert planned(ledger) == {"c 1": 0}, "nobody got the first: one resend is left"


def test_a_late_refusal_before_the_resend_divides_the_batch_and_cancels_it(ledger, expired):
    assert ledger.refuse(expired) == "split"
    assert (planned(ledger), resent(ledger)) == ({}, set())
    assert outcomes(ledger) == [("pending", 2, 0), ("pending", 3, 0), ("pending", 3, 0)]


def test_whatever_the_old_attempt_says_after_the_resend_changes_nothing(ledger, expired):
    sweep_for(ledger, EXPIRY_S)
    ledger.resend()
    before = (ledger.fields(keys.campaign("c")), ledger.batch(1), ledger.queue(), outcomes(ledger))
    assert ledger.settle(expired, "aaa") == "already"
    assert ledger.back(expired) == "gone"
    assert ledger.refuse(expired) == "gone"
    assert ledger.void(expired.attempt) == "gone"
    assert (ledger.fields(keys.campaign("c")), ledger.batch(1), ledger.queue(), outcomes(ledger)) == before


class Slow:
    """The asyncio client of a process that sleeps between what it reads and what it writes."""

    def __init__(self, client):
        self.client, self.kept = client, ()

    def pipeline(self, **options):
        return self.client.pipeline(**options)

    async def evalsha(self, _, *rest):
        self.kept = rest
        return b"asleep"

    async def wake_up(self):
        return (await self.client.eval(load("resend").text, *self.kept)).decode()


@pytest.fixture
def slow(ledger, expired):
    """A process that has read the batch when it was due, and whose script comes later."""
    sweep_for(ledger, EXPIRY_S)
    slow = Slow(ledger.aredis)
    assert ledger.resend(client=slow) == "asleep"
    return slow


@pytest.mark.parametrize("letters", ["aaa", "aua"])
def test_a_resend_overtaken_by_the_late_answer_moves_nothing_that_was_accepted(ledger, expired, slow, letters):
    assert ledger.settle(expired, letters) == "late"
    assert ledger.run(slow.wake_up()) == "gone"
    assert (ledger.queue(), len(planned(ledger))) == ([], letters.count("u"))
    ledger.resend()
    assert [word == "accepted" for word, *_ in outcomes(ledger)] == [letter == "a" for letter in letters]


def test_a_resend_overtaken_by_a_late_answer_that_tells_nothing_goes_on(ledger, expired, slow):
    assert ledger.settle(expired, "uuu", "lost") == "late"
    assert ledger.run(slow.wake_up()) == "resent"
    assert outcomes(ledger) == [("pending", 2, 1)] * 3


def test_a_resend_overtaken_by_proof_that_nothing_was_sent_moves_nothing(ledger, expired, slow):
    assert ledger.back(expired) == "late"
    assert ledger.run(slow.wake_up()) == "gone"
    again = ledger.next_one()
    assert ledger.run(slow.wake_up()) == "gone"
    ledger.settle(again, "uuu", "lost")
    assert ledger.run(slow.wake_up()) == "gone"
    assert planned(ledger) == {"c 1": 0}


def test_two_processes_that_resend_the_same_batch_make_one(ledger, slow):
    assert ledger.resend() == "resent"
    assert ledger.run(slow.wake_up()) == "gone"
    assert ledger.queue() == [2]
    assert outcomes(ledger) == [("pending", 2, 1)] * 3


def test_a_cancelled_campaign_drops_its_resends_and_they_stay_unconfirmed(ledger, taken):
    ledger.settle(taken, "auu")
    assert ledger.cancel() == "cancelled"
    assert sweep_for(ledger, 1) == (("c", 1),)
    assert ledger.resend() == "dropped"
    assert (planned(ledger), ledger.queue(), resent(ledger)) == ({}, [], set())
    assert sweep_for(ledger, 1) == ()
    assert outcomes(ledger) == [("accepted", 1, 1), ("unconfirmed", 1, 1), ("unconfirmed", 1, 1)]
    assert ledger.state() == "cancelled"


def test_a_late_answer_corrects_what_a_cancelled_campaign_has_dropped(ledger, expired):
    ledger.cancel()
    sweep_for(ledger, EXPIRY_S)
    assert ledger.resend() == "dropped"
    assert ledger.settle(expired, "aar") == "late"
    assert outcomes(ledger) == [("accepted", 1, 1), ("accepted", 1, 1), ("rejected", 1, 1)]


def test_a_resend_that_waits_when_its_campaign_is_cancelled_is_cancelled(ledger, taken):
    ledger.settle(taken, "auu")
    ledger.resend()
    ledger.cancel()
    assert outcomes(ledger) == [("accepted", 1, 1), ("cancelled", 2, 1), ("cancelled", 2, 1)]


def test_a_paused_campaign_keeps_its_resends_until_it_is_resumed(ledger, taken):
    ledger.pause()
    ledger.settle(taken, "auu")
    assert ledger.state() == "paused"
    assert ledger.resend() == "resent"
    assert ledger.state() == "paused"
    ledger.pass_s(1)
    assert ledger.take() == Stop()
    ledger.resume()
    assert unpack(ledger.next_one().packed).rows == (2, 3)


def test_after_the_clock_stepped_back_a_resend_is_due_within_one_expiry(ledger, expired):
    ledger.pass_s(-3600)
    ledger.sweep()
    assert planned(ledger) == {"c 1": EXPIRY_S}


def test_time_in_which_nobody_could_settle_puts_a_resend_off(ledger, expired):
    ledger.pass_s(EXPIRY_S)
    assert ledger.sweep().resends == ()
    assert planned(ledger) == {"c 1": EXPIRY_S - 1}
    assert ledger.settle(expired, "aaa") == "late"


@pytest.mark.parametrize("damage", [keys.packed, keys.outcomes])
@pytest.mark.parametrize("left", [None, b"x"])
def test_a_batch_that_can_not_be_read_stays_unconfirmed_and_keeps_nothing_waiting(ledger, taken, damage, left):
    ledger.settle(taken, "auu")
    if left is None:
        ledger.redis.delete(damage("c", 1))
    else:
        ledger.redis.set(damage("c", 1), left)
    assert ledger.resend() == "dropped"
    assert planned(ledger) == {}
    assert (ledger.counts()["unconfirmed"], ledger.state()) == (2, "finished")


def test_a_resend_that_redis_lost_is_an_error_in_words(ledger, taken):
    ledger.settle(taken, "auu")
    ledger.resend()
    ledger.redis.delete(keys.packed("c", 2))
    with pytest.raises(LedgerBroken, match="batch 2 of c is not in Redis any more"):
        list(report_rows(ledger.redis, "c"))
    assert "batch 2 of c is not in Redis any more" in audit(ledger.redis, "c")


def test_the_line_of_a_resent_message_tells_of_its_second_batch(ledger, taken):
    ledger.settle(taken, "auu")
    ledger.resend()
    ledger.pass_s(5)
    second = ledger.next_one()
    ledger.settle(second, "ar")
    first, *others = report_rows(ledger.redis, "c")
    early, late = (datetime.fromtimestamp(at / S, UTC).isoformat(timespec="milliseconds") for at in (T0, ledger.now))
    assert (first.sent_at, first.gateway_id, first.delivery) == (early, "sid", "awaiting")
    told = [(line.row, line.outcome, line.code, line.gateway_id, line.batch, line.attempts) for line in others]
    assert told == [(2, "accepted", None, "sid", 2, 2), (3, "rejected", "23010", None, 2, 2)]
    assert {line.sent_at for line in others} == {late}
    assert ledger.fields(keys.codes("c")) == {"23010 INVALID": "1"}


WHENS = ("unconfirmed", "waiting", "on the wire", "rejected")


@pytest.mark.parametrize("when", WHENS)
@pytest.mark.parametrize("way", ["rejected", "refused alone"])
@pytest.mark.parametrize("states", [("sent", "delivered"), ("delivered", "sent"), ("failed", "delivered")])
def test_who_has_the_message_by_the_first_call_has_it_whatever_the_second_came_to(ledger, when, way, states):
    ledger.lane(call_us=1000)
    ledger.campaign(1, 1, on_unconfirmed="resend")
    ledger.settle(ledger.next_one(), "u", "lost")
    ledger.settle(ledger.next_one(), "a")

    def tell(now):
        if now == when:
            for state in states:
                assert ledger.report(state, row=1, gateway_id="first").matched == 1

    tell("unconfirmed")
    if ledger.resend() == "resent":
        tell("waiting")
        if ledger.queue():
            second = ledger.next_one()
            tell("on the wire")
            if way == "rejected":
                ledger.settle(second, "r")
            else:
                assert ledger.refuse(second) == "rejected"
            tell("rejected")
    assert [outcome for outcome, *_ in outcomes(ledger)] == ["accepted", "accepted"]
    line = ledger.rows()[0]
    assert (line.delivery, line.gateway_id, line.code) == ("delivered", "first", None)
    counts = ledger.counts()
    assert (counts["accepted"], counts["delivered"], counts.get("rejected")) == (2, 1, None)
    assert ledger.state() == "finished"
    assert set(ledger.fields(keys.codes("c")).values()) <= {"0"}


def test_who_was_rejected_at_once_stays_so_whatever_a_report_tells(ledger, taken):
    ledger.settle(taken, "aru")
    assert ledger.report("delivered", row=2).unmatched == 1
    assert [outcome for outcome, *_ in outcomes(ledger)] == ["accepted", "rejected", "unconfirmed"]
