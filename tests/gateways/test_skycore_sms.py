"""Skycore SMS: what goes on the wire, and what each answer means."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.account_models import SkycoreSmsAccount
from worker.domain.answers import (
    Accepted,
    AllRejected,
    Answer,
    HoldAccount,
    Isolate,
    Lost,
    PauseCampaign,
    PerMessage,
    Rejected,
    Throttled,
)
from worker.domain.batch import Message, Outgoing
from worker.gateways import registry
from worker.gateways.skycore_codes import OF_CALL, OF_MESSAGE
from worker.gateways.skycore_sms import check_sender

BODIES = Path(__file__).parent / "skycore_sms"
KEY = "k3yk3yk3y"
FIRST = 919000000001
TABLE = {"gateway": "skycore-sms", "base_url": "https://sms.example.com/api/v2/", "api_key": "env:SKYCORE_KEY"}
HOLD, PAUSE = HoldAccount, PauseCampaign


def gateway(**keys):
    account = SkycoreSmsAccount.from_table("main", TABLE | keys)
    return registry.build(account, account.credentials({"SKYCORE_KEY": KEY}))


def outgoing(body="Hello World one", *, sender="00000", options=None, own=None):
    message = Message(to=FIRST, body=body, options=own or {})
    return Outgoing(reference="diwali-x1:7", sender=sender, options=options or {}, messages=(message,))


ONE = outgoing()


def answer(status, body=b"", **headers):
    if isinstance(body, str):
        body = (BODIES / body).read_bytes()
    elif not isinstance(body, bytes):
        body = json.dumps(body).encode()
    names = {name.replace("_", "-"): text for name, text in headers.items()}
    return Answer(status=status, headers=names, body=body, received_at=1_800_000_000.0)


def failure(code=None, info="No.", **fields):
    return {"status": "Failure", "error-info": info, "to": str(FIRST), **fields} | (
        {} if code is None else {"error-code": code}
    )


# What goes on the wire


def test_a_call_is_the_sendsms_action_with_the_key_in_a_header():
    options = {"click_tracking": "true", "sms_type": "transactional"}
    call = gateway().write(outgoing("Visit https://www.example.com/ “now”", options=options))
    assert call.method == "POST"
    assert call.url == "https://sms.example.com/api/v2/"
    assert dict(call.headers) == {"x-api-key": KEY, "Content-Type": "application/json"}
    assert json.loads(call.content) == {
        "action": "sendsms",
        "message-text": "Visit https://www.example.com/ “now”",
        "to": "+919000000001",
        "from": "00000",
        "campaign-ref": "diwali-x1:7",
        "click-tracking": True,
    }


@pytest.mark.parametrize(
    ("sender", "number", "sent"),
    [
        ("00000", "", {"from": "00000"}),
        ("+919000000009", "00000", {"from": "+919000000009"}),
        ("ACME", "00000", {"from": "00000", "from-mask": "ACME"}),
        ("ACME", "", {"from-mask": "ACME"}),
        ("", "00000", {"from": "00000"}),
        ("", "", {}),
    ],
)
def test_a_number_sends_and_a_name_masks_it(sender, number, sent):
    document = json.loads(gateway(sender_number=number).write(outgoing(sender=sender)).content)
    assert {name: text for name, text in document.items() if name.startswith("from")} == sent


@pytest.mark.parametrize(
    ("options", "own", "sent"),
    [
        ({}, {}, {"campaign-ref": "diwali-x1:7"}),
        ({"click_tracking": "false"}, {}, {"campaign-ref": "diwali-x1:7", "click-tracking": False}),
        ({"click_tracking": "false", "campaign_ref": "c"}, {"click_tracking": "True"},
         {"campaign-ref": "c", "click-tracking": True}),
        ({"campaign_ref": "campaign2345"}, {}, {"campaign-ref": "campaign2345"}),
    ],
)  # fmt: skip
def test_options_go_as_the_document_names_them(options, own, sent):
    document = json.loads(gateway().write(outgoing(options=options, own=own)).content)
    assert {name: value for name, value in document.items() if name.startswith("c")} == sent


def test_a_messages_own_sender_goes_before_the_campaigns():
    document = json.loads(gateway(sender_number="00000").write(outgoing(own={"from": "OTHER"})).content)
    assert (document["from"], document["from-mask"]) == ("00000", "OTHER")


def test_half_a_surrogate_pair_does_not_stop_the_message():
    assert json.loads(gateway().write(outgoing("a\ud83db")).content)["message-text"] == "a?b"


@pytest.mark.parametrize("sender", ["", "ACME", "DunderMiffl", "+919000000001", "919000000001"])
def test_a_number_or_a_name_of_eleven_characters_may_send(sender):
    assert check_sender(sender) == ""


def test_a_longer_name_is_refused_here_and_not_cut_there():
    assert check_sender("Dunder Mifflin") == (
        "is 14 characters long: a sender's name has at most 11 at Skycore, which cuts it off"
    )


def test_more_than_one_message_is_never_written_as_one():
    two = Outgoing(reference="r", sender="", options={}, messages=ONE.messages * 2)
    with pytest.raises(ValueError, match="too many values") as caught:
        gateway().write(two)
    assert "90000" not in str(caught.value)


def test_neither_key_number_nor_text_shows_outside_its_place():
    adapter = gateway()
    call = adapter.write(ONE)
    assert (adapter.name, adapter.batch_limit, adapter.origin) == ("skycore-sms", 1, "https://sms.example.com")
    for shown in (repr(adapter), repr(call), call.url, call.content.decode()):
        assert KEY not in shown
    assert not any(text in repr(call) + call.url for text in ("90000", "Hello"))


# Answers


@pytest.mark.parametrize("status", [200, 201, 202])
@pytest.mark.parametrize("body", ["success.json", "success-bare-number.json"])
def test_a_success_with_an_id_is_accepted(status, body):
    expected = PerMessage(outcomes=(Accepted(gateway_id="6f1b2c3d4e5f"),))
    assert gateway().read(answer(status, body), ONE) == expected


@pytest.mark.parametrize("state", ["failure", "Failure", "FAILURE", " failure "])
def test_a_failure_is_told_by_its_status_in_any_case(state):
    said = failure("E114", "Blacklisted.", status=state)
    assert gateway().read(answer(200, said), ONE) == PerMessage(
        outcomes=(Rejected(code="E114", reason="number on the gateway's blacklist"),)
    )


CODES = [
    ("E100", Isolate), ("E103", HOLD), ("E104", HOLD), ("E105", HOLD), ("E106", Throttled), ("E107", HOLD),
    ("E108", Isolate), ("E109", HOLD), ("E110", PerMessage), ("E111", PAUSE), ("E112", HOLD), ("E113", Throttled),
    ("E114", PerMessage), ("E115", PAUSE), ("E503", Lost), ("E713", HOLD), ("E999", AllRejected), ("e111", PAUSE),
    (999, AllRejected), (None, Isolate), ("", Isolate), ("9190000000017", Isolate), ((), Isolate),
]  # fmt: skip


@pytest.mark.parametrize("status", [200, 400, 422])
@pytest.mark.parametrize(("code", "disposition"), CODES)
def test_a_failures_code_decides(status, code, disposition):
    read = gateway().read(answer(status, failure(code)), ONE)
    assert type(read) is disposition
    said = read.outcomes[0].code if isinstance(read, PerMessage) else read.code
    assert said == (str(code).upper() if isinstance(code, (str, int)) and len(str(code)) < 6 else "")


def test_the_test_table_names_every_code():
    assert set(OF_CALL) | set(OF_MESSAGE) <= {code for code, _ in CODES if code}
    assert not set(OF_CALL) & set(OF_MESSAGE)


def test_a_refusal_says_what_to_do():
    assert gateway().read(answer(200, "failure-e111.json"), ONE) == PauseCampaign(
        code="E111",
        reason="Skycore refused the sender (200/E111): check from of the campaign and sender_number of the account, "
        "then resume the campaign; Skycore says: Invalid Sender.",
    )
    assert gateway().read(answer(200, failure("E999", "New.")), ONE) == AllRejected(
        code="E999", reason="Skycore refused it with a code that is not known"
    )


@pytest.mark.parametrize(
    "body",
    [
        b"", b"OK", b"null", b"[]", b"7", b"<html>error</html>", b"\xff", b'{"status": "Success"}',
        {"status": "Queued"},
        {"status": "Success", "tracking-id": ""}, {"status": "Success", "tracking-id": "a b"}, {"status": None},
        {"status": "Success", "tracking-id": "t1", "to": "+919000000002"}, {"tracking-id": "t1"}, b"[" * 100_000,
        {"status": "Failure", "error-code": "E104", "to": "919000000002"}, {"status": ["Success"], "tracking-id": "t1"},
    ],
)  # fmt: skip
def test_what_is_neither_this_messages_success_nor_its_failure_is_lost(body):
    assert isinstance(gateway().read(answer(200, body), ONE), Lost)


@pytest.mark.parametrize("echo", ["+919000000001", "919000000001", FIRST, "+91 90000-00001", "", None, "XXXXX"])
def test_numbers_are_compared_as_digits(echo):
    said = {"status": "success", "tracking-id": 4711, "to": echo}
    assert gateway().read(answer(200, said), ONE) == PerMessage(outcomes=(Accepted(gateway_id="4711"),))


@pytest.mark.parametrize(
    ("status", "body", "disposition"),
    [
        (301, "success.json", HOLD), (400, b"", Isolate), (400, "success.json", Isolate),
        (400, {"status": "Failure", "error-code": "E104", "to": "919000000002"}, Isolate), (401, b"", HOLD),
        (401, "failure-e111.json", HOLD), (402, b"", HOLD), (403, b"<html>", HOLD), (404, b"", HOLD), (405, b"", HOLD),
        (408, b"", Lost), (409, b"", Lost), (413, b"", Isolate), (429, b"", Throttled),
        (429, "failure-e111.json", Throttled), (500, "failure-e111.json", Lost), (502, b"<html>", Lost),
        (503, b"", Throttled), (504, "success.json", Lost), (100, b"", Lost), (204, b"", Lost), (999, b"", Lost),
    ],
)  # fmt: skip
def test_the_http_status_goes_first(status, body, disposition):
    assert type(gateway().read(answer(status, body), ONE)) is disposition


@pytest.mark.parametrize(
    ("policy", "status", "headers", "disposition"),
    [
        ("any", 503, {}, Throttled), ("documented", 503, {}, Lost),
        ("documented", 503, {"retry_after": "9"}, Throttled), ("documented", 429, {}, Throttled),
    ],
)  # fmt: skip
def test_documented_takes_a_bare_503_for_lost(policy, status, headers, disposition):
    assert type(gateway(retry_503=policy).read(answer(status, **headers), ONE)) is disposition


@pytest.mark.parametrize(("status", "body"), [(429, b""), (200, failure("E113")), (400, failure("E106"))])
def test_a_throttled_call_carries_the_pause_that_the_gateway_asks_for(status, body):
    assert gateway().read(answer(status, body, retry_after="30"), ONE).retry_after_s == 30.0


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (f"not for +{FIRST} or 90000 00001", "not for [number] or [number]"),
        (f"key {KEY} is wrong", "key [secret] is wrong"),
        ("can not send Hello World one", "can not send [body]"),
        ("two\r\nlines", "two lines"),
        (7, "7"),
    ],
)
def test_the_gateways_own_words_name_no_number_body_or_credential(said, shown):
    read = gateway().read(answer(200, failure("E100", said)), ONE)
    assert read.reason == f"Skycore refused the call as it stands (200/E100); Skycore says: {shown}"


# Whatever the gateway says

WORDS = st.sampled_from([KEY, f"+{FIRST}", str(FIRST), "Hello World one", "Success", "failure", "E100", "E999", "E113"])
JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.text() | WORDS, st.lists, max_leaves=5)
NAMES = st.sampled_from(["status", "error-code", "error-info", "to", "tracking-id"])


@given(status=st.sampled_from([200, 400, 401, 429, 500, 503]), document=st.dictionaries(NAMES, WORDS | JSON))
def test_no_answer_makes_a_reason_show_a_credential_a_number_or_a_text(status, document):
    read = gateway().read(answer(status, document), ONE)
    if not (isinstance(read, PerMessage) and isinstance(read.outcomes[0], Accepted)):
        assert not any(text in repr(read) for text in (KEY, "90000", "Hello World one"))


@given(status=st.integers(min_value=0, max_value=1000), body=st.binary(), retry=st.text())
def test_no_bytes_and_no_header_make_reading_raise(status, body, retry):
    repr(gateway().read(answer(status, body, retry_after=retry), ONE)).encode()
