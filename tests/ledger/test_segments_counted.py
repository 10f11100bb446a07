"""Segments of a campaign: production's total is what the report's lines add up to, whatever becomes of the messages."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from worker.billing import counter_of
from worker.domain.billing import uncounted
from worker.domain.suppression import Reason, SuppressionList
from worker.intake.campaign import Campaign
from worker.intake.readers import rows_from
from worker.ledger import keys
from worker.ledger.audit import audit
from worker.ledger.reading import standings
from worker.ledger.record import report_rows
from worker.ledger.suppression import suppress
from worker.producer import ProductionLost, produce

A = 919000000000
EVERYBODY = SuppressionList()
CAMPAIGN = Campaign(name="offer", accounts=("main",), body="Dear {name|you}")
CONTENT = {"type": "text", "text": {"body": "Dear {name|you}"}}


def people(*names):
    return rows_from({"to": f"+{A + row}", "name": name} for row, name in enumerate(names, 1))


def told(ledger, name="c"):
    return [row.segments for row in report_rows(ledger.redis, name, counter_of(ledger.redis, name))]


def total(ledger, name="c"):
    (standing,) = standings(ledger.redis, [name])
    return standing.segments


def differences(ledger, name="c"):
    return audit(ledger.redis, name, counter_of(ledger.redis, name))


def test_each_message_tells_its_segments_and_the_campaign_their_sum(ledger):
    produce(ledger.redis, "c", CAMPAIGN, people("Asha", "a" * 160, "आशा", None, "आ" * 70))
    assert (told(ledger), total(ledger)) == ([1, 2, 1, 1, 2], 7)
    assert differences(ledger) == ()


def test_rows_that_are_not_queued_have_none(ledger):
    suppress(ledger.redis, EVERYBODY, [A + 2], Reason.HAND)
    rows = [{"to": to, "name": "Asha"} for to in (f"+{A + 1}", f"+{A + 2}", "nobody", f"+{A + 1}")]
    produce(ledger.redis, "c", CAMPAIGN, rows_from(rows))
    assert (told(ledger), total(ledger)) == ([1, None, None, None], 1)


def test_a_text_that_all_get_is_counted_for_each(ledger):
    produce(ledger.redis, "c", CAMPAIGN.model_copy(update={"body": "नमस्ते" * 20}), people(*"abc"))
    assert (told(ledger), total(ledger)) == ([2, 2, 2], 6)


def test_with_ascii_it_is_the_replaced_body_that_counts(ledger):
    produce(ledger.redis, "c", CAMPAIGN, people("’" * 70))
    produce(ledger.redis, "d", CAMPAIGN.in_ascii(), people("’" * 70))
    assert (told(ledger), told(ledger, "d")) == ([2], [1])
    assert (total(ledger), total(ledger, "d")) == (2, 1)


def test_content_objects_are_not_billed_by_segments(ledger):
    campaign = Campaign(name="offer", accounts=("main",), content=CONTENT)
    produce(ledger.redis, "c", campaign, people("Asha"))
    assert (told(ledger), total(ledger), differences(ledger)) == ([None], 0, ())
    assert counter_of(ledger.redis, "c") is uncounted


def test_a_campaign_that_is_not_there_is_not_counted(ledger):
    assert counter_of(ledger.redis, "none") is uncounted


def test_the_audit_recounts_them(ledger):
    produce(ledger.redis, "c", CAMPAIGN, people("Asha", "आशा"))
    ledger.redis.hincrby(keys.campaign("c"), "segments", 1)
    assert differences(ledger) == ("segments is 3 in the campaign, but 2 in the record of its recipients",)
    assert audit(ledger.redis, "c") == ()


def test_a_production_that_is_continued_counts_each_message_once(ledger):
    names = ["Asha", "आ" * 70] * 1500
    with pytest.raises(ProductionLost):
        produce(
            ledger.redis, "c", CAMPAIGN, people(*names), on_progress=lambda _rows: ledger.begin(file=file_of(ledger))
        )
    assert 0 < total(ledger) < 4500
    produce(ledger.redis, "c", CAMPAIGN, people(*names))
    assert (total(ledger), differences(ledger)) == (4500, ())


def file_of(ledger):
    return ledger.fields(keys.campaign("c"))["file"]


names = st.lists(
    st.sampled_from(["Asha", "आशा", "a" * 150, "€" * 80, "आ" * 140, "😀" * 40, None]), min_size=1, max_size=9
)


@pytest.mark.parametrize("limit", [100, 1])
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    names=names, before=st.sets(st.integers(1, 9)), after=st.sets(st.integers(1, 9)), steps=st.text("rbs", max_size=6)
)
def test_whatever_becomes_of_the_messages_the_report_adds_up_to_the_total(ledger, limit, names, before, after, steps):
    ledger.wipe()
    ledger.lane(call_us=1)
    suppress(ledger.redis, EVERYBODY, [A + row for row in before], Reason.HAND)
    produce(ledger.redis, "c", CAMPAIGN, people(*names))
    said = total(ledger)
    suppress(ledger.redis, EVERYBODY, [A + row for row in after], Reason.OPTED_OUT)
    for step in steps:
        if ledger.state() != "running":
            break
        ledger.lane(call_us=1)
        try:
            taken = ledger.next_one(limit=limit)
        except AssertionError:  # nobody is left who may be messaged
            break
        if step == "r":
            ledger.refuse(taken)
        elif step == "b":
            ledger.back(taken)
        else:
            ledger.settle(taken, "a" * len(taken.content().numbers))
    assert total(ledger) == said == sum(filter(None, told(ledger)))
    assert differences(ledger) == ()
