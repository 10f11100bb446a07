"""Exotel's words about one SMS, as a delivery report: every status and code of the reference, and every other text."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.domain.delivery import DeliveryReport, Feedback
from worker.gateways.exotel_deliveries import NAMES, STATUSES, report_from

SID = "0f477d60517e6e6a0f6d9a7e9af8630e"


def report(status, code="", detail="", sid=SID, to="09000000001", date="", custom_field=""):
    return report_from(status, code, detail, sid, to, date, custom_field)


NOTHING, MISCONFIGURED = Feedback.NOTHING, Feedback.MISCONFIGURED
CODES = [
    ("queued", "21010", "PENDING_TO_OPERATOR", None, None),
    ("sending", "21015", "SENDING_TO_OPERATOR", None, None),
    ("submitted", "21020", "PENDING_ON_OPERATOR", "sent", NOTHING),
    ("sent", "20005", "DELIVERED_TO_HANDSET", "delivered", NOTHING),
    ("sent", "20006", "DELIVERED_TO_OPERATOR", "delivered", NOTHING),
    ("failed", "23000", "FAILED_MISSING_BODY", "failed", NOTHING),
    ("failed-dnd", "23005", "FAILED_REJECTED_DND", "failed", Feedback.REFUSES_PROMOTION),
    ("failed", "23010", "FAILED_INVALID_DESTINATION_NUMBER", "failed", NOTHING),
    ("failed", "23015", "FAILED_SPAM_DETECTED", "failed", NOTHING),
    ("failed", "23020", "FAILED_REJECTED_BLACKLIST", "failed", Feedback.OPTED_OUT),
    ("failed", "23030", "FAILED_UNAVAILABLE_ROUTE", "failed", NOTHING),
    ("failed", "23035", "FAILED_SUBSCRIBER_UNAVAILABLE", "failed", NOTHING),
    ("failed", "23040", "FAILED_SUBSCRIBER_UNKNOWN", "failed", NOTHING),
    ("failed", "23050", "FAILED_EXPIRED", "failed", NOTHING),
    ("failed", "23060", "FAILED_REJECTED", "failed", NOTHING),
    ("failed", "23070", "FAILED_INVALID_MESSAGE", "failed", MISCONFIGURED),
    ("failed", "23072", "FAILED_INVALID_SENDER_ID", "failed", MISCONFIGURED),
    ("failed", "23080", "SENDER_BLOCKED_BY_DLT", "failed", MISCONFIGURED),
    ("failed", "23081", "ENTITY_BLOCKED_BY_DLT", "failed", MISCONFIGURED),
    ("failed", "23082", "TEMPLATE_BLOCKED_BY_DLT", "failed", MISCONFIGURED),
    ("failed", "23083", "FAILED_DLT_SCRUBBING_ERROR", "failed", MISCONFIGURED),
    ("failed", "23084", "FAILED_DLT_CONSENT_ERROR", "failed", MISCONFIGURED),
    ("failed", "23181", "DLT_TEMPLATE_ID_INVALID", "failed", MISCONFIGURED),
    ("failed", "23182", "DLT_TEMPLATE_NOT_FOUND", "failed", MISCONFIGURED),
    ("failed", "23183", "DLT_TEMPLATE_ID_INACTIVE", "failed", MISCONFIGURED),
    ("failed", "23184", "DLT_TEMPLATE_ID_BLACKLISTED", "failed", MISCONFIGURED),
    ("failed", "23185", "DLT_TEMPLATE_DOES_NOT_MATCH", "failed", MISCONFIGURED),
    ("failed", "23186", "DLT_LENGTH_EXCEEDED", "failed", MISCONFIGURED),
    ("failed", "23281", "DLT_ENTITY_NOT_FOUND", "failed", MISCONFIGURED),
    ("failed", "24010", "FAILED_SYSTEM_ERROR", "failed", NOTHING),
    ("failed", "24105", "FAILED_HANDSET_ERROR", "failed", NOTHING),
    ("failed", "24110", "FAILED_OPERATOR_ERROR", "failed", NOTHING),
    ("failed", "24120", "FAILED_SUBSCRIBER_ERROR", "failed", NOTHING),
    ("failed", "24990", "FAILED_UNKNOWN_ERROR", "failed", NOTHING),
]


@pytest.mark.parametrize(("status", "code", "name", "state", "feedback"), CODES)
def test_every_code_of_the_reference_has_its_meaning(status, code, name, state, feedback):
    for detail in (name, "", "a text of the carrier's own"):
        expected = state and DeliveryReport(
            state=state, gateway_id=SID, to="09000000001", code=code, text=name, feedback=feedback
        )
        assert report(status, code, detail) == expected


def test_the_test_table_names_every_code_and_status():
    assert {code: name for _, code, name, _, _ in CODES} == NAMES
    assert {status for status, *_ in CODES} == set(STATUSES) - {"delivered"}


@pytest.mark.parametrize(
    ("status", "code", "state", "feedback"),
    [
        ("queued", "", None, None), ("sending", "", None, None), ("submitted", "", "sent", NOTHING),
        ("sent", "", "delivered", NOTHING), (" Sent ", "", "delivered", NOTHING),
        ("failed", "", "failed", NOTHING), ("failed-dnd", "", "failed", Feedback.REFUSES_PROMOTION),
        ("failed_dnd", "", "failed", Feedback.REFUSES_PROMOTION), ("FAILED-DND", "23005", "failed",
        Feedback.REFUSES_PROMOTION), ("failed_dnd", "23005", "failed", Feedback.REFUSES_PROMOTION),
        ("failed-later", "", "failed", NOTHING), ("delivered?", "", None, None), ("", "", None, None),
        ("delivered", "", "delivered", NOTHING), ("delivered", "20000", "delivered", NOTHING),
        ("delivered", "23010", "failed", NOTHING),
    ],
)  # fmt: skip
def test_the_status_decides_where_there_is_no_code(status, code, state, feedback):
    got = report(status, code)
    assert (got and (got.state, got.feedback)) == (state and (state, feedback))


@pytest.mark.parametrize(
    ("status", "code", "state", "feedback"),
    [
        ("failed", "23999", "failed", NOTHING), ("sent", "20007", "delivered", NOTHING),
        ("queued", "29999", None, None), ("", "23999", None, None),
        ("failed", "23075", "failed", MISCONFIGURED), ("failed", "23085", "failed", MISCONFIGURED),
        ("failed", "23189", "failed", MISCONFIGURED), ("failed", "23282", "failed", NOTHING),
        ("failed-dnd", "23999", "failed", Feedback.REFUSES_PROMOTION), ("sent", "23085", "delivered", NOTHING),
        ("sent", "23010", "failed", NOTHING), ("failed", "20005", "delivered", NOTHING),
        ("", "20006", "delivered", NOTHING), ("submitted", "23020", "failed", Feedback.OPTED_OUT),
        ("sent", "21020", "delivered", NOTHING), ("failed", "21010", "failed", NOTHING),
    ],
)  # fmt: skip
def test_a_final_code_decides_and_beside_any_other_the_status(status, code, state, feedback):
    got = report(status, code)
    assert (got and (got.state, got.feedback, got.code)) == (state and (state, feedback, code))


@pytest.mark.parametrize(
    ("date", "moment"),
    [
        ("2017-03-03 14:14:20", datetime(2017, 3, 3, 8, 44, 20, tzinfo=UTC)),
        (" 2017-03-03 00:00:00 ", datetime(2017, 3, 2, 18, 30, tzinfo=UTC)),
        ("2017-03-03T14:14:20Z", datetime(2017, 3, 3, 14, 14, 20, tzinfo=UTC)),
        ("1970-01-01 05:30:00", None), ("", None), ("null", None), ("0000-00-00 00:00:00", None),
        ("0001-01-01 00:00:00", None), ("03/03/2017", None),
    ],
)  # fmt: skip
def test_dates_are_in_indian_time_and_the_epoch_is_none(date, moment):
    assert report("sent", "20005", date=date).at == (moment and moment.timestamp())


@pytest.mark.parametrize(
    ("custom_field", "reference"),
    [
        ("diwali-x1:7", "diwali-x1:7"), ("diwali-x1:7 order desk", "diwali-x1:7"), ("diwali-x1:7 a b", "diwali-x1:7"),
        ("", ""), (" order desk", ""),
    ],
)  # fmt: skip
def test_the_custom_field_begins_with_our_reference(custom_field, reference):
    assert report("sent", custom_field=custom_field).reference == reference


@pytest.mark.parametrize("sid", ["", "a b", "x" * 129, "<script>", "919000000001\n2"])
def test_what_can_be_no_id_is_none(sid):
    assert report("sent", sid=sid).gateway_id == ""


def test_a_number_in_the_place_of_a_code_or_a_name_is_not_kept():
    got = report("failed", "919000000001", "FAILED for 919000000001")
    assert (got.code, got.text) == ("", "")
    assert "9000000001" not in repr(got)


@given(*[st.text()] * 7)
def test_no_words_raise(status, code, detail, sid, to, date, custom_field):
    assert isinstance(report_from(status, code, detail, sid, to, date, custom_field), DeliveryReport | None)


@given(date=st.text(alphabet="0123456789-: TZ+.W", max_size=30))
def test_no_date_raises(date):
    assert report("sent", date=date).at is None or report("sent", date=date).at > 0
