"""SMS details: the question on the wire, and what each answer says of the message."""

import json
from base64 import b64encode
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.domain.answers import Answer, Throttled
from worker.domain.delivery import DeliveryReport, Feedback
from worker.gateways.exotel_access import access
from worker.gateways.exotel_details import (
    Bill,
    Details,
    Found,
    NotFound,
    Refused,
    Underway,
    Unreadable,
    read_details,
    write_details,
)
from worker.gateways.exotel_sms import ExotelSms

BODIES = Path(__file__).parent / "exotel_sms"
SID = "0f477d60517e6e6a0f6d9a7e9af8630e"
KEY, TOKEN = "k3yk3yk3y", "t0kent0ken"
BASIC = b64encode(f"{KEY}:{TOKEN}".encode()).decode()
ACCESS = access("https://api.in.exotel.com", "acme1", KEY, TOKEN)
NO_BILL = Bill(segments=None, price="")


def read(status, body, **headers):
    if isinstance(body, str):
        body = (BODIES / body).read_bytes()
    elif not isinstance(body, bytes):
        body = json.dumps(body).encode()
    names = {name.replace("_", "-"): text for name, text in headers.items()}
    return read_details(ACCESS, Answer(status=status, headers=names, body=body, received_at=1.8e9), SID)


def message(**fields):
    return {"SMSMessage": {"Sid": SID, "To": "09000000001", **fields}}


def refusal(status, code=None, words="No."):
    return {"RestException": {"Status": status, "Message": words} | ({} if code is None else {"Code": code})}


def test_the_question_is_one_get_with_the_documented_case():
    call = write_details(ACCESS, SID)
    assert (call.method, call.content) == ("GET", b"")
    assert call.url == f"https://api.in.exotel.com/v1/Accounts/acme1/SMS/Messages/{SID}.json"
    assert dict(call.headers) == {"Authorization": f"Basic {BASIC}", "Accept": "application/json"}
    assert write_details(ACCESS, "../a b").url.endswith("/SMS/Messages/..%2Fa%20b.json")


def test_credentials_show_in_no_repr():
    shown = repr(ACCESS) + repr(write_details(ACCESS, SID)) + write_details(ACCESS, SID).url
    assert not any(secret in shown for secret in (KEY, TOKEN, BASIC))


def test_the_adapter_gives_the_access_that_details_need():
    adapter = ExotelSms("https://api.in.exotel.com", "acme1", KEY, TOKEN, "any")
    assert write_details(adapter.access, SID) == write_details(ACCESS, SID)


@pytest.mark.parametrize("body", ["details-submitted.json", "details-submitted.xml"])
def test_a_message_that_waits_at_the_operator_is_no_news(body):
    assert read(200, body) == Underway(status="submitted", code="21020", bill=Bill(segments=1, price=""))


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"Status": "queued"}, "queued"),
        ({"Status": " Sending ", "DetailedStatusCode": 21015}, "sending"),
        ({"Status": "submitted", "DetailedStatusCode": "29999"}, "submitted"),
        ({"Status": "waiting", "DetailedStatusCode": "21010"}, "PENDING_TO_OPERATOR"),
    ],
)
def test_what_may_still_change_is_underway(fields, status):
    got = read(200, message(**fields))
    assert isinstance(got, Underway)
    assert got.status == status


def test_a_delivery_is_a_report_with_its_date():
    fields = {"Status": "sent", "DetailedStatusCode": "20005", "DetailedStatus": "DELIVERED_TO_HANDSET"}
    delivered_at = datetime(2017, 3, 3, 8, 44, 20, tzinfo=UTC).timestamp()
    got = read(200, message(**fields, DateSent="2017-03-03 14:14:20", SmsUnits="2", Price=0.36))
    assert got == Found(
        report=DeliveryReport(
            state="delivered",
            gateway_id=SID,
            to="09000000001",
            code="20005",
            text="DELIVERED_TO_HANDSET",
            at=delivered_at,
        ),
        bill=Bill(segments=2, price="0.36"),
    )
    assert "9000000001" not in repr(got)


def test_a_failure_is_a_report_with_what_it_says_beyond_the_message():
    got = read(200, [message(Status="failed-dnd", DetailedStatusCode=23005, DateSent="1970-01-01 05:30:00")])
    assert got.report == DeliveryReport(
        state="failed",
        gateway_id=SID,
        to="09000000001",
        code="23005",
        text="FAILED_REJECTED_DND",
        feedback=Feedback.REFUSES_PROMOTION,
    )


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, b"No matching results"),
        (200, b'"No matching results"'),
        (200, refusal(200, None, "No Matching Results")),
        (
            200,
            b"<TwilioResponse><RestException><Message>No matching results</Message></RestException></TwilioResponse>",
        ),
        (404, refusal(404, None, "No matching results")),
    ],
)
def test_an_id_that_exotel_does_not_know_is_not_found_whatever_the_form(status, body):
    assert read(status, body) == NotFound()


def test_the_text_of_a_message_can_not_make_it_unknown():
    assert isinstance(read(200, message(Status="queued", Body="No matching results")), Underway)


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (429, 40403, Throttled), (429, None, Throttled), (503, None, Throttled), (429, 40404, Refused),
        (400, 40501, Unreadable), (400, 40500, Unreadable), (400, None, Unreadable), (400, 34001, Refused),
        (401, None, Refused), (401, 34010, Refused), (403, 34009, Refused), (403, 40002, Refused),
        (404, None, Refused), (302, None, Refused),
        (500, None, Unreadable), (502, None, Unreadable), (418, None, Unreadable), (200, None, Unreadable),
    ],
)  # fmt: skip
def test_a_refusal_is_told_by_status_and_code(status, code, kind):
    got = read(status, refusal(status, code))
    assert type(got) is kind
    if kind is not Unreadable:
        assert got.code == str(code or "")


def test_a_throttled_question_carries_the_pause_that_the_gateway_asks_for():
    assert read(429, refusal(429, 40403, "Too many GET requests."), retry_after="7") == Throttled(
        code="40403",
        reason="too many calls (429/40403); Exotel says: Too many GET requests.",
        retry_after_s=7.0,
    )


def test_reasons_say_what_to_do_and_name_no_credential_and_no_number():
    got = read(401, refusal(401, 34010, f"Unauthorized {KEY} {TOKEN} {BASIC} +919000000001"))
    assert got == Refused(
        code="34010",
        reason="Exotel refused the credentials (401/34010): check api_key and api_token of the account; "
        "Exotel says: Unauthorized [secret] [secret] [secret] [number]",
    )
    assert read(403, refusal(403, 34009, "")).reason == (
        "Exotel does not know the account (403/34009): check sid and region of the account"
    )


@pytest.mark.parametrize(
    "body",
    [
        b"", b"[]", b"{}", b"null", "proxy-502.html", message(), message(Status="gone"), [message(), message()],
        {"SMSMessage": {"Sid": "another", "Status": "sent"}}, {"SMSMessage": {"Status": "sent"}},
        {"SMSMessage": {"Sid": [SID], "Status": "sent"}}, {"SMSMessage": None},
    ],
)  # fmt: skip
def test_what_does_not_tell_of_the_message_is_unreadable(body):
    assert isinstance(read(200, body), Unreadable)


@pytest.mark.parametrize("odd", ["x", "-1", 101, 1e9, True, None, [], "\x1b[2J", "1" * 400])
def test_an_odd_bill_is_none(odd):
    got = read(200, message(Status="queued", SmsUnits=odd, Price=odd if isinstance(odd, str | list) else None))
    assert got == Underway(status="queued", code="", bill=NO_BILL)


@given(status=st.integers(100, 999), body=st.binary(), retry=st.text())
def test_no_bytes_make_reading_raise(status, body, retry):
    assert isinstance(read(status, body, retry_after=retry), Details)


FIELDS = st.sampled_from(
    ["Sid", "To", "Status", "DetailedStatusCode", "DetailedStatus", "DateSent", "SmsUnits", "Price"]
)
VALUES = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just(SID) | st.lists(st.text())


@given(fields=st.dictionaries(FIELDS, VALUES))
def test_no_fields_make_reading_raise(fields):
    assert isinstance(read(200, {"SMSMessage": {"Sid": SID, **fields}}), Details)
