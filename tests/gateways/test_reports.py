"""What gateways post about deliveries: every documented word, each spelling of it, and any other bytes."""

import json
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.domain.delivery import DeliveryReport, Feedback
from worker.gateways import exotel_deliveries, exotel_whatsapp_reports, skycore_reports
from worker.gateways.posted import document_of
from worker.gateways.reports import READERS, Understood, Unreadable, read_reports, understand

BODIES = Path(__file__).parent / "reports"
HALF_PAST_11 = datetime(2026, 11, 22, 11, 30, tzinfo=UTC).timestamp()
SMS_SID = "0f477d60517e6e6a0f6d9a7e9af8630e"


def body(name):
    return (BODIES / name).read_bytes()


def one(gateway, posted):
    (report,) = read_reports(gateway, posted if isinstance(posted, bytes) else json.dumps(posted).encode())
    return report


def whatsapp(**fields):
    message = {"callback_type": "dlr", "sid": "1", "to": "919000000001"} | fields
    return {"whatsapp": {"messages": [message]}}


def skycore(**fields):
    return {"origin": "SMS_MT", "tracking-id": "t1", "to": "919000000001"} | fields


def unreadable(gateway, posted):
    found = read_reports(gateway, posted if isinstance(posted, bytes) else json.dumps(posted).encode())
    return isinstance(found, Unreadable)


# any gateway


@pytest.mark.parametrize("name", ["exotel-sms-delivered.form", "exotel-sms-delivered.json"])
def test_a_form_and_json_say_the_same(name):
    assert one("exotel-sms", body(name)) == DeliveryReport(
        state="delivered",
        gateway_id=SMS_SID,
        to="09000000001",
        reference="offer-x1:3",
        code="20005",
        text="DELIVERED_TO_HANDSET",
        at=HALF_PAST_11,
    )


@pytest.mark.parametrize("posted", [b"", b" ", b"hello", b"{", b"[1,", b"\xff\xfe", b"<xml a='b'/>", b"a&" * 300])
def test_what_is_neither_form_nor_json_of_its_words_is_unreadable_to_every_gateway(posted):
    assert all(unreadable(gateway, posted) for gateway in READERS)
    assert isinstance(understand(posted), Unreadable)


@pytest.mark.parametrize("posted", [{}, [], [[]], [1], {"whatsapp": []}, {"whatsapp": {"messages": []}}, "text", None])
def test_json_of_another_form_is_unreadable_to_every_gateway(posted):
    assert all(unreadable(gateway, posted) for gateway in READERS)


def test_names_of_fields_may_have_other_capitals_hyphens_and_low_lines():
    report = one("exotel-sms", b"sms_sid=abc&TO=09000000001&status=sent&detailed-status-code=20006")
    assert (report.gateway_id, report.to, report.state, report.code) == ("abc", "09000000001", "delivered", "20006")


def test_several_reports_may_come_in_one_array():
    posted = json.loads(body("skycore-delivered.json"))
    found = read_reports("skycore-sms", json.dumps([posted, posted | {"code": "E201"}]).encode())
    assert [report.state for report in found] == ["delivered", "failed"]


BROKEN = {
    "a byte order mark": lambda posted: b"\xef\xbb\xbf" + posted,
    "a byte that is not UTF-8": lambda posted: posted.replace(b"The message", b"Caf\xe9: the message"),
    "half of an emoji": lambda posted: posted.replace(b"hello", b"hello \\ud83d"),
}


@pytest.mark.parametrize("broken", BROKEN)
def test_what_is_broken_in_one_text_takes_no_report_with_it(broken):
    whole = body("exotel-whatsapp-mixed.json")
    posted = BROKEN[broken](whole)
    assert posted != whole
    assert read_reports("exotel-whatsapp", posted) == read_reports("exotel-whatsapp", whole)


def test_a_form_behind_a_byte_order_mark_is_read():
    posted = body("exotel-sms-delivered.form")
    assert one("exotel-sms", b"\xef\xbb\xbf" + posted) == one("exotel-sms", posted)


@given(st.text(st.characters(categories=["Cs", "L", "S"]), max_size=5).map(json.dumps))
def test_every_text_that_was_read_can_be_encoded(text):
    document = document_of(f'{{"To": {text}}}'.encode())
    assert isinstance(json.dumps(document, ensure_ascii=False).encode(), bytes)


@pytest.mark.parametrize("gateway", ["xtend-sms", "xtend-whatsapp", "nobody"])
def test_a_gateway_that_reports_nothing_is_said_to(gateway):
    assert read_reports(gateway, b"a=b") == Unreadable(reason=f"{gateway} is not known to report deliveries")


@pytest.mark.parametrize(
    ("name", "understood"),
    [
        ("exotel-sms-delivered.form", (1, 0, 0)),
        ("exotel-sms-failed-dnd.form", (1, 0, 0)),
        ("exotel-sms-sending.form", (0, 1, 0)),
        ("exotel-whatsapp-sample.json", (1, 0, 0)),
        ("exotel-whatsapp-mixed.json", (1, 1, 2)),
        ("skycore-delivered.json", (1, 0, 0)),
    ],
)
def test_whoever_takes_a_body_in_knows_what_is_in_it_without_knowing_whose_it_is(name, understood):
    found = understand(body(name))
    assert (len(found.reports), found.passed_over, found.unreadable) == understood


WORDS = st.sampled_from([
    *("SmsSid", "To", "Status", "DetailedStatusCode", "DateSent", "CustomField", "whatsapp", "messages", "sid"),
    *("exo_status_code", "exo_detailed_status", "timestamp", "custom_data", "code", "tracking-id", "origin", "é"),
])  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=12,
)


@given(st.binary() | JSON.map(lambda posted: json.dumps(posted).encode()))
def test_no_bytes_whatever_raise(posted):
    assert isinstance(understand(posted), Understood | Unreadable)
    for gateway in READERS:
        assert isinstance(read_reports(gateway, posted), tuple | Unreadable)


@given(st.dictionaries(WORDS, st.text(max_size=20), min_size=1, max_size=6))
def test_a_form_and_json_of_the_same_fields_are_the_same_document(fields):
    if all(fields.values()):
        assert document_of(urlencode(fields).encode()) == document_of(json.dumps(fields).encode())


@given(JSON)
def test_nothing_that_was_posted_is_in_a_repr_of_what_can_not_be_read(posted):
    found = understand(json.dumps({"hunter2": posted}).encode())
    assert "hunter2" not in repr(found)


# Exotel SMS


def test_the_number_is_on_the_dnd_list_and_an_unset_date_is_none():
    report = one("exotel-sms", body("exotel-sms-failed-dnd.form"))
    assert (report.state, report.code, report.at, report.reference) == ("failed", "23005", None, "")
    assert report.feedback is Feedback.REFUSES_PROMOTION


def test_a_state_on_the_way_says_nothing_yet():
    assert read_reports("exotel-sms", body("exotel-sms-sending.form")) == ()


@pytest.mark.parametrize("status", exotel_deliveries.STATUSES)
def test_every_documented_status_is_readable(status):
    assert not unreadable("exotel-sms", {"SmsSid": SMS_SID, "Status": status})


@pytest.mark.parametrize("posted", [b"Status=sent", b"SmsSid=1&Status=lost", b"SmsSid=1", b"To=09000000001"])
def test_a_report_without_a_message_or_a_known_status_is_unreadable(posted):
    assert unreadable("exotel-sms", posted)


@pytest.mark.parametrize("posted", [b"To=09000000001&Status=sent", b"To=09000000001&DetailedStatusCode=20005"])
def test_a_report_without_an_id_names_its_message_by_the_number(posted):
    report = one("exotel-sms", posted)
    assert (report.gateway_id, report.to, report.state) == ("", "09000000001", "delivered")
    assert understand(posted).reports == (report,)


@pytest.mark.parametrize(
    ("custom_field", "reference"),
    [("offer-x1:3", "offer-x1:3"), ("offer-x1:3 order 7", "offer-x1:3"), ("order 7", ""), ("a:b", ""), ("", "")],
)
def test_our_reference_stands_in_front_of_the_campaigns_own_field(custom_field, reference):
    report = one("exotel-sms", {"SmsSid": "1", "Status": "sent", "CustomField": custom_field})
    assert report.reference == reference


# Exotel WhatsApp


def test_the_documented_sample_is_read_as_delivered_although_its_number_is_in_no_table():
    assert one("exotel-whatsapp", body("exotel-whatsapp-sample.json")) == DeliveryReport(
        state="delivered",
        gateway_id="1234",
        to="919000000001",
        reference="offer-x1:3",
        code="25001",
        text="EX_MESSAGE_DELIVERED",
        at=datetime(2022, 12, 7, 11, 30, tzinfo=UTC).timestamp(),
    )


def test_what_can_be_read_is_not_lost_with_what_can_not():
    (report,) = read_reports("exotel-whatsapp", body("exotel-whatsapp-mixed.json"))
    assert (report.state, report.at, report.gateway_id) == ("seen", HALF_PAST_11, "2FdiiEQUosckPhpZfuVwfjxiSlc16a4")


def test_incoming_messages_alone_are_no_reports_and_readable():
    assert read_reports("exotel-whatsapp", json.dumps(whatsapp(callback_type="ICM")).encode()) == ()


WHATSAPP_STATES = {"30001": "sent", "30002": "delivered", "30003": "seen"}
THROTTLED = {"30007", "30008", "30009"}
OWN_FAULT = {
    *("30004", "30005", "30011", "30012", "30013", "30014", "30018", "30027", "30028"),
}  # fmt: skip
"""Failures of the gateway's, or of the one recipient's: they say nothing of the campaign."""


@pytest.mark.parametrize("number", range(30001, 30042))
@pytest.mark.parametrize("by", ["number", "name", "both"])
def test_every_whatsapp_code_is_known_by_number_and_by_name(number, by):
    code = str(number)
    name = exotel_whatsapp_reports.CODES[code].name
    fields = {"exo_status_code": number} if by != "name" else {}
    fields |= {"exo_detailed_status": name} if by != "number" else {}
    report = one("exotel-whatsapp", whatsapp(**fields))
    assert (report.state, report.text) == (WHATSAPP_STATES.get(code, "failed"), name)
    assert report.code == ("" if by == "name" else code)
    if code in THROTTLED:
        assert report.feedback is Feedback.THROTTLED
    elif code in WHATSAPP_STATES or code in OWN_FAULT:
        assert report.feedback is Feedback.NOTHING
    else:
        assert report.feedback is Feedback.MISCONFIGURED


def test_the_whatsapp_table_has_just_the_documented_codes():
    assert list(exotel_whatsapp_reports.CODES) == [str(number) for number in range(30001, 30042)]


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"exo_status_code": 30099, "exo_detailed_status": "EX_NEW_ERROR"}, "EX_NEW_ERROR"),
        ({"exo_status_code": 30099, "description": "The message failed for a reason yet unknown"}, "FAILED"),
        ({"exo_detailed_status": "it failed at +91 90000 00001"}, "FAILED"),
    ],
)
def test_an_unknown_whatsapp_code_has_failed_where_its_words_say_so(fields, text):
    report = one("exotel-whatsapp", whatsapp(**fields))
    assert (report.state, report.text, report.feedback) == ("failed", text, Feedback.NOTHING)


@pytest.mark.parametrize("fields", [{}, {"exo_status_code": 30099}, {"sid": "", "to": "", "exo_status_code": 30002}])
def test_a_whatsapp_report_of_unknown_words_or_without_a_message_is_unreadable(fields):
    assert unreadable("exotel-whatsapp", whatsapp(**fields))


def test_a_whatsapp_report_without_an_id_names_its_message_by_the_number():
    report = one("exotel-whatsapp", whatsapp(sid="", exo_status_code=30002))
    assert (report.gateway_id, report.to, report.state) == ("", "919000000001", "delivered")


@pytest.mark.parametrize(
    ("timestamp", "at"),
    [
        ("2026-11-22T17:00:00.000+05:30", HALF_PAST_11),
        ("2026-11-22T11:30:00Z", HALF_PAST_11),
        ("2026-11-22T17:00:00", None),
        ("1970-01-01T05:30:00+05:30", None),
        ("0001-01-01T00:00:00+23:59", None),
        ("soon", None),
        (1795347000, None),
        (None, None),
    ],
)
def test_a_date_needs_a_zone_and_a_day_after_the_epoch(timestamp, at):
    assert one("exotel-whatsapp", whatsapp(exo_status_code="30002", timestamp=timestamp)).at == at


# Skycore


def test_a_postback_names_message_batch_and_time():
    assert one("skycore-sms", body("skycore-delivered.json")) == DeliveryReport(
        state="delivered",
        gateway_id="MMS_ab12",
        to="919000000001",
        reference="offer-x1:3",
        code="N202",
        text="DELIVERED",
        at=HALF_PAST_11,
    )


@pytest.mark.parametrize(
    ("fields", "state", "text"),
    [
        ({"code": "N201", "status": "Sent"}, "sent", "SENT"),
        ({"code": "N202", "status": "Delivered"}, "delivered", "DELIVERED"),
        ({"code": "E201", "status": "Failed"}, "failed", "FAILED"),
        ({"code": "E202", "status": "Rejected"}, "failed", "REJECTED"),
        ({"code": "n202"}, "delivered", "DELIVERED"),
        ({"status": "REJECTED"}, "failed", "REJECTED"),
        ({"code": "N299", "status": "delivered"}, "delivered", "DELIVERED"),
        ({"code": "E999", "status": "Expired"}, "failed", "FAILED"),
    ],
)
def test_every_skycore_code_and_what_the_words_say_of_others(fields, state, text):
    report = one("skycore-sms", skycore(**fields))
    assert (report.state, report.text) == (state, text)
    assert {report.code, ""} & {fields.get("code", "").upper()}


def test_the_skycore_table_has_just_the_documented_codes():
    assert list(skycore_reports.CODES) == ["N201", "N202", "E201", "E202"]


NAMELESS = {"tracking-id": "", "code": "N202"}


@pytest.mark.parametrize(
    "fields", [{}, {"code": "N999", "status": "Odd"}, NAMELESS | {"to": ""}, NAMELESS | {"origin": ""}]
)
def test_a_skycore_postback_of_unknown_words_or_without_a_message_is_unreadable(fields):
    assert unreadable("skycore-sms", skycore(**fields))


def test_a_skycore_postback_without_an_id_names_its_message_by_the_number():
    report = one("skycore-sms", skycore(**NAMELESS))
    assert (report.gateway_id, report.to, report.state) == ("", "919000000001", "delivered")


@pytest.mark.parametrize("fields", [{"status": "Failed"}, {"status": "Failed", "origin": "SMS_MO"}])
def test_what_skycore_says_is_not_taken_for_an_exotel_sms_that_has_no_id(fields):
    posted = json.dumps(skycore(**fields)).encode()
    assert understand(posted).reports == read_reports("skycore-sms", posted)


def test_what_a_person_wrote_to_skycore_is_no_report():
    assert read_reports("skycore-sms", json.dumps(skycore(origin="SMS_MO", code="N201")).encode()) == ()


def test_a_campaign_reference_of_somebody_elses_is_not_taken_for_ours():
    assert one("skycore-sms", skycore(code="N202", **{"campaign-ref": "campaign2345"})).reference == ""
