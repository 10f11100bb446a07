"""Production looks its numbers up: whoever is on a list is passed over, and the law holds also over an interruption."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from worker.domain.suppression import Reason, Scope, SuppressionList
from worker.intake.batches import prepare
from worker.intake.campaign import Campaign
from worker.intake.readers import rows_from
from worker.ledger.audit import audit
from worker.ledger.record import report_rows
from worker.ledger.suppression import remember, suppress, unsuppress
from worker.producer import chunks, produce

A = 919000000000
EVERYBODY = SuppressionList()
CAMPAIGN = Campaign(name="offer", accounts=("main",), sender="EXOTEL", body="Hi")


class KilledError(Exception):
    """The producer was killed."""


def rows(numbers):
    return rows_from({"to": "nobody" if number is None else f"+{number}"} for number in numbers)


def killed_at(row):
    def look(read):
        if read >= row:
            raise KilledError

    return look


def outcomes(ledger, name="c"):
    return [row.outcome for row in report_rows(ledger.redis, name)]


def test_a_number_on_a_list_is_suppressed_with_the_reason_in_the_report(ledger):
    suppress(ledger.redis, SuppressionList(kind="sender", name="exotel"), [A + 2], Reason.OPTED_OUT)
    produce(ledger.redis, "c", CAMPAIGN, rows([A + 1, A + 2, None, A + 2, A + 3]))
    assert ledger.counts() == {
        "rows": 5, "invalid": 1, "duplicate": 1, "suppressed": 1, "queued": 2, "pending": 2, "batches": 1,
        "segments": 2,
    }  # fmt: skip
    told = list(report_rows(ledger.redis, "c"))
    assert [row.outcome for row in told] == ["pending", "suppressed", "invalid", "duplicate", "pending"]
    assert told[1].reason == "on the sender's suppression list: opted out"
    assert (told[1].to, told[1].values, told[1].batch) == (f"+{A + 2}", (f"+{A + 2}",), None)
    assert audit(ledger.redis, "c") == ()


def test_every_senders_list_holds_for_a_campaign_whose_sender_is_of_each_row(ledger):
    suppress(ledger.redis, SuppressionList(kind="sender", name="ACME"), [A + 1], Reason.OPTED_OUT)
    campaign = CAMPAIGN.model_copy(update={"sender": "{to}"})
    produce(ledger.redis, "c", campaign, rows([A + 1, A + 2, A + 3]))
    assert outcomes(ledger) == ["suppressed", "pending", "pending"]
    suppress(ledger.redis, SuppressionList(kind="sender", name="ACME"), [A + 2], Reason.OPTED_OUT)
    ledger.lane()
    assert ledger.take_one().content().numbers == (A + 3,)
    assert "every sender's counts" in list(report_rows(ledger.redis, "c"))[1].reason


def test_a_stretch_that_loses_all_its_messages_is_no_batch(ledger):
    suppress(ledger.redis, EVERYBODY, range(A, A + 150), Reason.HAND)
    produce(ledger.redis, "c", CAMPAIGN, rows(range(A, A + 250)))
    queued = {"queued": 100, "pending": 100, "batches": 2, "segments": 100}
    assert ledger.counts() == {"rows": 250, "suppressed": 150, **queued}
    assert ledger.queue() == [2, 3]
    ledger.lawful()
    assert audit(ledger.redis, "c") == ()


def test_what_is_looked_up_and_written_at_once_is_bounded_by_its_size_too():
    long = [{"to": f"+{A + n}", "long": "x" * 100_000} for n in range(100)]
    assert [len(chunk) for chunk in chunks(prepare(rows_from(long), CAMPAIGN, batch_size=10))] == [5, 5]
    short = [{"to": f"+{A + n}"} for n in range(50)]
    assert [len(chunk) for chunk in chunks(prepare(rows_from(short), CAMPAIGN, batch_size=1))] == [20, 20, 10]


def test_a_campaign_of_suppressed_numbers_only_is_finished_at_once(ledger):
    suppress(ledger.redis, EVERYBODY, [A], Reason.HAND)
    assert produce(ledger.redis, "c", CAMPAIGN, rows([A])).state == "finished"
    assert audit(ledger.redis, "c") == ()


def test_the_list_of_one_account_waits_until_it_is_known_which_of_several_sends(ledger):
    suppress(ledger.redis, SuppressionList(kind="account", name="main"), [A], Reason.HAND)
    produce(ledger.redis, "c", CAMPAIGN, rows([A]))
    produce(ledger.redis, "d", CAMPAIGN.model_copy(update={"accounts": ("main", "second")}), rows([A]))
    assert (outcomes(ledger, "c"), outcomes(ledger, "d")) == (["suppressed"], ["pending"])


def test_a_promotional_list_holds_for_promotional_campaigns_only(ledger):
    suppress(ledger.redis, SuppressionList(scope=Scope.PROMOTIONAL), [A], Reason.DND)
    for sms_type in ("transactional", "transactional_opt_in", "promotional"):
        produce(ledger.redis, sms_type, CAMPAIGN.model_copy(update={"sms_type": sms_type}), rows([A]))
    assert outcomes(ledger, "transactional") == outcomes(ledger, "transactional_opt_in") == ["pending"]
    assert outcomes(ledger, "promotional") == ["suppressed"]


@pytest.mark.parametrize(("hours", "outcome"), [(None, "pending"), (24, "suppressed")])
def test_a_campaign_with_a_cap_passes_over_whom_another_messaged(ledger, hours, outcome):
    remember(ledger.redis, [A], 24)
    produce(ledger.redis, "c", CAMPAIGN.model_copy(update={"not_before_hours": hours}), rows([A]))
    assert outcomes(ledger) == [outcome]


persons = st.integers(A, A + 300)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    numbers=st.lists(st.none() | persons, max_size=20).map(lambda few: [*few, *range(A, A + 2_150), *few]),
    before=st.sets(persons),
    removed=st.sets(persons),
    after=st.sets(persons | st.integers(A + 2_000, A + 2_150)),
    killed=st.integers(1, 2_500),
)
def test_lists_that_change_between_two_producers_lose_and_double_nobody(
    ledger, numbers, before, removed, after, killed
):
    ledger.wipe()
    suppress(ledger.redis, EVERYBODY, sorted(before), Reason.HAND)
    try:
        produce(ledger.redis, "c", CAMPAIGN, rows(numbers), on_progress=killed_at(killed))
    except KilledError:
        written = int(ledger.fields("bs:c:c")["position"])
        unsuppress(ledger.redis, EVERYBODY, sorted(removed))
        suppress(ledger.redis, EVERYBODY, sorted(after), Reason.HAND)
        produce(ledger.redis, "c", CAMPAIGN, rows(numbers))
    else:
        written = len(numbers)
    later = (before - removed) | after
    seen, expected = set(), []
    for row, number in enumerate(numbers, 1):
        if number is None:
            expected.append("invalid")
        elif number in seen:
            expected.append("duplicate")
        else:
            expected.append("suppressed" if number in (before if row <= written else later) else "pending")
        seen.add(number)
    assert outcomes(ledger) == expected
    assert ledger.counts().get("suppressed", 0) == expected.count("suppressed")
    ledger.lawful()
    assert audit(ledger.redis, "c") == ()
