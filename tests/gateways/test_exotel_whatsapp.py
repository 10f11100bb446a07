"""Exotel WhatsApp: what goes on the wire, and what each answer means."""

import json
from base64 import b64encode

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.domain.answers import (
    Accepted,
    AllRejected,
    Answer,
    HoldAccount,
    Isolate,
    Lost,
    PerMessage,
    Rejected,
    Throttled,
    Unconfirmed,
    Untaken,
)
from worker.domain.batch import Message, Outgoing
from worker.gateways.exotel_whatsapp import ExotelWhatsApp
from worker.gateways.exotel_whatsapp_codes import BY_CLASS, BY_STATUS, OF_THE_ACCOUNT, THROTTLING, UNCLEAR

KEY, TOKEN = "k3yk3yk3y", "t0kent0ken"
BASIC = b64encode(f"{KEY}:{TOKEN}".encode()).decode()
SECRETS = (KEY, TOKEN, BASIC)
FIRST, SECOND = 919000000001, 919000000002
SID = "2FdiiEQUosckPhpZfuVwfjxiSlc16a4"


def gateway(retry_503="any"):
    return ExotelWhatsApp("https://api.in.exotel.com", "acme1", KEY, TOKEN, retry_503)


def content(text):
    return orjson.dumps({"type": "text", "text": {"body": text}}).decode()


def outgoing(*messages, sender="+919000099999", callback_url=""):
    return Outgoing(
        reference="diwali-x1:7", sender=sender, options={}, callback_url=callback_url, messages=tuple(messages)
    )


TWO = outgoing(Message(FIRST, content("Hello Asha, one")), Message(SECOND, content("Hello Ravi, two")))
ONE = outgoing(Message(FIRST, content("Hello Asha, one")))


def answer(status, document=b"", **headers):
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    names = {name.replace("_", "-"): text for name, text in headers.items()}
    return Answer(status=status, headers=names, body=body, received_at=1_800_000_000.0)


def taken(sid=SID, code=202):
    return {"code": code, "error_data": None, "status": "success", "data": {"sid": sid}}


def failed(code, detail=None, message="Bad", description=""):
    error = {"code": detail or code, "message": message, "description": description}
    return {"code": code, "error_data": error, "status": "failure", "data": None}


def items(*found):
    """An answer in the form of the reference's sample."""
    return {
        "request_id": "b434e927a5844175b23059cd96feea3d",
        "method": "POST",
        "http_code": 202,
        "metadata": {"failed": 0, "total": len(found), "success": len(found)},
        "response": {"whatsapp": {"messages": list(found)}},
    }


# What goes on the wire


def test_a_batch_is_one_call_with_a_reference_a_message():
    adapter = gateway()
    assert (adapter.name, adapter.batch_limit, adapter.origin) == ("exotel-whatsapp", 100, "https://api.in.exotel.com")
    call = adapter.write(
        outgoing(
            Message(FIRST, '{"type": "text", "text": {"body": "नमस्ते \\"Asha\\""}}'),
            Message(SECOND, content("Hi"), {"from": "+919000088888"}),
            callback_url="https://example.com/c/1",
        )
    )
    assert (call.method, call.url) == ("POST", "https://api.in.exotel.com/v2/accounts/acme1/messages")
    assert dict(call.headers) == {
        "Authorization": f"Basic {BASIC}",
        "Content-Type": "application/json",
        "Accept": "application/json",
    }
    assert json.loads(call.content) == {
        "custom_data": "diwali-x1:7",
        "status_callback": "https://example.com/c/1",
        "whatsapp": {
            "messages": [
                {
                    "custom_data": "diwali-x1:7:0",
                    "from": "+919000099999",
                    "to": "+919000000001",
                    "content": {"type": "text", "text": {"body": 'नमस्ते "Asha"'}},
                },
                {
                    "custom_data": "diwali-x1:7:1",
                    "from": "+919000088888",
                    "to": "+919000000002",
                    "content": {"type": "text", "text": {"body": "Hi"}},
                },
            ]
        },
    }


def test_what_nobody_gives_is_left_out():
    document = json.loads(gateway().write(outgoing(Message(FIRST, content("Hi")), sender="")).content)
    assert set(document) == {"custom_data", "whatsapp"}
    assert set(document["whatsapp"]["messages"][0]) == {"custom_data", "to", "content"}


def test_half_a_surrogate_pair_does_not_stop_the_batch():
    body = '{"type":"text","text":{"body":"a\ud83db"}}'
    assert json.loads(gateway().write(outgoing(Message(FIRST, body))).content)["whatsapp"]["messages"][0][
        "content"
    ] == {
        "type": "text",
        "text": {"body": "a?b"},
    }


def test_credentials_show_in_the_authorization_header_only():
    adapter = gateway()
    call = adapter.write(TWO)
    for shown in (repr(adapter), repr(call), call.url, call.content.decode()):
        assert not any(secret in shown for secret in SECRETS)
    assert "Hello" not in repr(call)
    assert "90000" not in repr(TWO)


# Answers that judge each message


@pytest.mark.parametrize("status", [200, 202, 207, 400, 401, 429, 500, 503, 504])
def test_each_message_is_judged_by_its_own_code_whatever_the_status(status):
    document = items(failed(400, message="Invalid number"), taken())
    assert gateway().read(answer(status, document), TWO) == PerMessage(
        outcomes=(Rejected(code="400", reason="Invalid number"), Accepted(gateway_id=SID))
    )


def test_the_sample_of_the_reference_is_accepted():
    sample = (
        b'{ "request_id": "b434e927a5844175b23059cd96feea3d", "method": "POST", "http_code": 202, "metadata": '
        b'{ "failed": 0, "total": 1, "success": 1 }, "response": { "whatsapp": { "messages": [ { "code": 202, '
        b'"error_data": null, "status": "success", "data": { "sid": "2FdiiEQUosckPhpZfuVwfjxiSlc16a4" } } ] } } }'
    )
    assert gateway().read(answer(202, sample), ONE) == PerMessage(outcomes=(Accepted(gateway_id=SID),))


REFUSED, UNKNOWN, AGAIN = Rejected, Unconfirmed, Untaken
ITEMS = [
    (taken(), Accepted, ""),
    (taken(code="200"), Accepted, ""),
    (taken(sid=None), UNKNOWN, ""),
    (taken(sid="a b"), UNKNOWN, ""),
    ({"code": 202}, UNKNOWN, ""),
    ({}, UNKNOWN, ""),
    (7, UNKNOWN, ""),
    ({"code": 302}, UNKNOWN, ""),
    ({"data": {"sid": SID}}, UNKNOWN, ""),
    ({"status": "success", "data": {"sid": SID}}, UNKNOWN, ""),
    (failed(400), REFUSED, "400"),
    (failed(400, 30012), REFUSED, "30012"),
    (failed(400) | {"data": {"sid": SID}}, REFUSED, "400"),
    (failed(401), AGAIN, "401"),
    (failed(402), AGAIN, "402"),
    (failed(403), AGAIN, "403"),
    (failed(404), REFUSED, "404"),
    (failed(429), AGAIN, "429"),
    (failed(503), AGAIN, "503"),
    (failed(500, 30009), AGAIN, "30009"),
    (failed(429) | {"data": {"sid": SID}}, UNKNOWN, "429"),
    (failed(400, 402) | {"data": {"sid": SID}}, UNKNOWN, "402"),
    (failed(None, 402) | {"data": {"sid": SID}}, UNKNOWN, ""),
    (failed(418), REFUSED, "418"),
    (failed(None, "strange"), REFUSED, "strange"),
    ({"code": 400}, REFUSED, "400"),
    ({"status": "FAILED"}, REFUSED, ""),
    ({"status": "failure", "error_data": {"message": "No"}}, REFUSED, ""),
    (failed(None, 99) | {"data": {"sid": SID}}, UNKNOWN, ""),
    (failed(408), UNKNOWN, "408"),
    (failed(409), UNKNOWN, "409"),
    (failed(500), UNKNOWN, "500"),
    (failed(500, 30004), UNKNOWN, "30004"),
    (failed(504), UNKNOWN, "504"),
    (failed(None, 500), UNKNOWN, "500"),
    (failed(None, 503), AGAIN, "503"),
    (failed(None, 400), REFUSED, "400"),
    (failed(200, 400), REFUSED, "400"),
    (failed(202, 500), UNKNOWN, "500"),
    (failed(200, 429), UNKNOWN, "429"),
    (failed(200, 409), UNKNOWN, "409"),
    ({"code": 200, "status": "failed"}, REFUSED, ""),
    (failed(200, 400) | {"data": {"sid": "a b"}}, UNKNOWN, ""),
]


@pytest.mark.parametrize(("item", "outcome", "code"), ITEMS)
def test_an_item_decides_for_its_own_message_among_others(item, outcome, code):
    read = gateway().read(answer(202, items(item, taken("other"))), TWO)
    assert isinstance(read, PerMessage)
    assert read.outcomes[1] == Accepted(gateway_id="other")
    assert type(read.outcomes[0]) is outcome
    assert read.outcomes[0].code == code


@pytest.mark.parametrize(
    ("found", "disposition", "code"),
    [
        ([failed(429), failed(429)], Throttled, "429"),
        ([failed(503), failed(400, 30007)], Throttled, "503"),
        ([failed(400, 30008), failed(429, 30009)], Throttled, "30008"),
        ([failed(400, 40405), failed(400, 35006)], Throttled, "40405"),
        ([failed(401), failed(401)], HoldAccount, "401"),
        ([failed(403), failed(402)], HoldAccount, "402"),
        ([failed(429), failed(402)], HoldAccount, "402"),
        ([failed(500), failed(500)], Lost, ""),
        ([{}, {"code": 202}], Lost, ""),
        ([failed(400), failed(400)], AllRejected, "400"),
        ([failed(404), failed(404)], AllRejected, "404"),
        ([failed(400), failed(400, 30012)], PerMessage, None),
        ([failed(400), failed(500)], PerMessage, None),
    ],
)
def test_what_every_item_says_alike_holds_for_the_call(found, disposition, code):
    read = gateway().read(answer(202, items(*found)), TWO)
    assert type(read) is disposition
    assert code is None or read.code == code


TOO_MANY = Throttled(code="429", reason="too many calls (207/429); Exotel says: Bad", retry_after_s=7.0)
NO_PLAN = HoldAccount(
    code="402",
    reason="the account's plan does not allow this, or is used up (207/402): recharge or extend the plan at Exotel, "
    "then open the account; Exotel says: Bad",
    may_pass=True,
)


@pytest.mark.parametrize(
    ("found", "outcomes", "account"),
    [
        ([failed(429), taken()], (AGAIN, Accepted), TOO_MANY),
        ([taken(), failed(429)], (Accepted, AGAIN), TOO_MANY),
        ([failed(429), failed(400)], (AGAIN, REFUSED), TOO_MANY),
        ([failed(500), failed(429)], (UNKNOWN, AGAIN), TOO_MANY),
        ([failed(402), taken()], (AGAIN, Accepted), NO_PLAN),
        ([failed(400), failed(402)], (REFUSED, AGAIN), NO_PLAN),
        ([failed(500), failed(402)], (UNKNOWN, AGAIN), NO_PLAN),
    ],
)
def test_what_was_not_taken_for_the_accounts_reason_goes_again_and_the_account_hears_of_it(found, outcomes, account):
    read = gateway().read(answer(207, items(*found), retry_after="7"), TWO)
    assert isinstance(read, PerMessage)
    assert (tuple(map(type, read.outcomes)), read.account) == (outcomes, account)


def test_a_hold_goes_before_a_throttle_with_its_own_words():
    found = items(failed(429, message="Slow down"), failed(402, message="Recharge"), taken())
    three = outgoing(*TWO.messages, Message(919000000003, content("Hi")))
    read = gateway().read(answer(207, found), three)
    assert (read.account.code, read.account.reason.rpartition("; ")[2]) == ("402", "Exotel says: Recharge")


@pytest.mark.parametrize("code", sorted(THROTTLING | OF_THE_ACCOUNT))
def test_every_code_for_which_a_message_goes_again_halts_the_account(code):
    read = gateway().read(answer(202, items(failed(int(code)), taken())), TWO)
    assert isinstance(read.outcomes[0], Untaken)
    assert isinstance(read.account, HoldAccount if code in OF_THE_ACCOUNT else Throttled)


def test_the_account_is_not_spoken_of_where_everything_has_an_outcome():
    assert gateway().read(answer(207, items(failed(400), taken())), TWO).account is None


def test_a_failure_that_comes_with_a_success_keeps_its_words():
    read = gateway().read(answer(207, items(failed(200, 400, "No template"), taken("other"))), TWO)
    assert read.outcomes[0] == Rejected(code="400", reason="No template")


def test_a_batch_refused_with_one_code_counts_as_one_refusal_and_each_message_keeps_its_words():
    read = gateway().read(
        answer(
            400, items(failed(400, description="messages[0] is bad"), failed(400, description="messages[1] is bad"))
        ),
        TWO,
    )
    first, second = (Rejected(code="400", reason=f"Bad: messages[{place}] is bad") for place in (0, 1))
    assert read == AllRejected(code="400", reason=first.reason, each=(first, second))
    assert read.outcomes(2) == (first, second)


def test_a_throttle_in_the_items_has_the_pause_of_the_header_and_a_hold_has_advice():
    throttled = gateway("documented").read(answer(503, items(failed(503), failed(503)), retry_after="7"), TWO)
    assert throttled == Throttled(code="503", reason="too many calls (503/503); Exotel says: Bad", retry_after_s=7.0)
    held = gateway().read(answer(202, items(failed(402), failed(402))), TWO)
    assert held.reason == (
        "the account's plan does not allow this, or is used up (202/402): "
        "recharge or extend the plan at Exotel, then open the account; Exotel says: Bad"
    )


@pytest.mark.parametrize("status", [202, 207, 400, 401, 500])
@pytest.mark.parametrize("found", [[taken()], [failed(400)], [failed(400)] * 3, [failed(401)]])
def test_another_number_of_items_rejects_nobody(status, found):
    assert isinstance(gateway().read(answer(status, items(*found)), TWO), Lost)


# Answers without messages

HOLD = HoldAccount
STATUSES = [
    (202, Lost), (200, Lost), (204, Lost), (207, Lost),
    (301, HOLD), (302, HOLD), (307, HOLD),
    (400, Isolate), (401, HOLD), (402, HOLD), (403, HOLD), (404, HOLD), (405, HOLD), (408, Lost), (409, Lost),
    (413, Isolate), (418, Lost), (422, Lost), (429, Throttled),
    (500, Lost), (501, Lost), (502, Lost), (503, Throttled), (504, Lost), (599, Lost),
    (0, Lost), (100, Lost), (600, Lost),
]  # fmt: skip
EMPTY = [
    b"", b"null", b"[]", b"<html>", b'"x"', b"[" * 100_000, items(), {"response": {"whatsapp": {"messages": {}}}},
    {"response": {"whatsapp": []}}, {"response": None}, {"response": {"error": {"code": 1, "message": "No"}}},
    {"RestException": {"Status": 400, "Code": 1, "Message": "No"}},
    b"<TwilioResponse><RestException><Status>4</Status><Message>No</Message></RestException></TwilioResponse>",
]  # fmt: skip


@pytest.mark.parametrize(("status", "disposition"), STATUSES)
def test_without_messages_the_status_decides(status, disposition):
    for document in EMPTY:
        assert type(gateway().read(answer(status, document), TWO)) is disposition


def test_the_tables_of_this_test_name_every_rule_and_every_code():
    assert set(BY_STATUS) <= {status for status, _ in STATUSES}
    assert set(BY_CLASS) <= {status // 100 for status, _ in STATUSES}
    codes = {
        str(code)
        for item in [
            failed(400, 30007),
            failed(400, 30008),
            *(item for item, _, _ in ITEMS),
            failed(1, 40405),
            failed(1, 35006),
        ]
        if isinstance(item, dict)
        for code in (item.get("code"), (item.get("error_data") or {}).get("code"))
    }
    assert codes >= THROTTLING | OF_THE_ACCOUNT | UNCLEAR


@pytest.mark.parametrize(
    ("document", "headers", "disposition"),
    [
        (b"", {}, Lost),
        ({"RestException": {"Code": 35008}}, {}, Lost),
        ({"RestException": {"Code": 40405}}, {}, Throttled),
        ({"response": {"error_data": {"code": 30009}}}, {}, Throttled),
        (b"", {"retry_after": "20"}, Throttled),
        (b"", {"retry_after": " "}, Lost),
    ],
)
def test_documented_takes_a_bare_503_for_lost(document, headers, disposition):
    assert type(gateway("documented").read(answer(503, document, **headers), TWO)) is disposition
    assert type(gateway().read(answer(503, document, **headers), TWO)) is Throttled


def test_reasons_say_what_to_do():
    document = {"response": {"error": {"code": 1000, "message": "Unauthorized", "description": "Check the key"}}}
    assert gateway().read(answer(401, document), TWO) == HoldAccount(
        code="1000",
        reason="Exotel refused the credentials (401/1000): check api_key and api_token of the account, "
        "then open the account; Exotel says: Unauthorized: Check the key",
    )


# Nothing that people should not read


SAID = [
    ("not on WhatsApp: +919000000001, 09000000002", "not on WhatsApp: [number]"),
    (f"key {KEY} with {TOKEN} or {BASIC}", "key [secret] with [secret] or [secret]"),
    ("can not send Hello Asha, one", "can not send [body]"),
    (f"wrong content {content('Hello Asha, one')}", "wrong content [body]"),
    ("half \ud83d", "half ?"),
    ("two\r\nlines", "two lines"),
    ("é" * 300, "é" * 199 + "…"),
]


@pytest.mark.parametrize(("said", "shown"), SAID)
def test_no_reason_names_a_number_a_body_or_a_credential(said, shown):
    item = failed(400, message=said)
    assert gateway().read(answer(202, items(item, taken())), TWO).outcomes[0].reason == shown
    document = {"response": {"error_data": {"code": 400, "message": said}}}
    assert gateway().read(answer(400, document), TWO).reason.endswith(f"Exotel says: {shown}")


def test_the_name_of_a_template_may_be_read_and_its_values_may_not():
    body = {
        "type": "template",
        "template": {
            "name": "diwali_offer",
            "language": {"code": "en"},
            "components": [{"type": "body", "parameters": [{"type": "text", "text": "Asha Rao"}]}],
        },
    }
    said = "Template diwali_offer has no place for Asha Rao"
    batch = outgoing(Message(FIRST, json.dumps(body)), Message(SECOND, json.dumps(body)))
    read = gateway().read(answer(202, items(failed(400, 30023, said), taken())), batch)
    assert read.outcomes[0] == Rejected(code="30023", reason="Template diwali_offer has no place for [body]")


@pytest.mark.parametrize("code", [9190000000017, "x9000000001", True, 1.5, [], {}, "", "a b", "é", "c" * 41, -1])
def test_what_is_no_code_is_taken_for_none(code):
    item = {"code": 400, "error_data": {"code": code, "message": "No"}}
    assert gateway().read(answer(202, items(item, taken())), TWO).outcomes[0].code == "400"


# Whatever the gateway says

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)
CODES = st.sampled_from([200, 202, "202", 400, 401, 402, 403, 404, 408, 429, 500, 503, 30007, "x", None])
ERRORS = st.none() | st.builds(lambda code, words: {"code": code, "message": words}, CODES | JSON, st.text() | JSON)
ITEM = st.fixed_dictionaries(
    {},
    optional={
        "code": CODES | JSON,
        "error_data": ERRORS | JSON,
        "status": st.sampled_from(["success", "failure"]) | JSON,
        "data": st.builds(lambda sid: {"sid": sid}, st.sampled_from([SID, None]) | JSON) | JSON,
    },
)


def check(status, body, headers=None):
    for policy in ("any", "documented"):
        read = gateway(policy).read(Answer(status=status, headers=headers or {}, body=body, received_at=0.0), TWO)
        if isinstance(read, PerMessage):
            assert len(read.outcomes) == len(TWO.messages)
            assert not all(isinstance(outcome, Unconfirmed) for outcome in read.outcomes)
            again = [isinstance(outcome, Untaken) for outcome in read.outcomes]
            assert (any(again), all(again)) == (read.account is not None, False)
        repr(read).encode()


@given(status=st.integers(min_value=0, max_value=1000), body=st.binary(), retry=st.text())
def test_no_bytes_and_no_header_make_reading_raise(status, body, retry):
    check(status, body, {"retry-after": retry})


@given(status=st.sampled_from([200, 202, 400, 401, 429, 500, 503]), found=st.lists(ITEM | JSON, max_size=3))
def test_no_items_make_reading_raise(status, found):
    check(status, json.dumps(items(*found)).encode())


@given(status=st.sampled_from([202, 400]), document=JSON)
def test_no_json_makes_reading_raise(status, document):
    check(status, json.dumps(document).encode())
    check(status, json.dumps({"response": {"whatsapp": document}}).encode())


@given(bodies=st.lists(st.text(), min_size=1, max_size=100))
def test_what_goes_out_is_what_the_messages_say(bodies):
    batch = outgoing(*(Message(FIRST + place, json.dumps({"x": body})) for place, body in enumerate(bodies)))
    written = json.loads(gateway().write(batch).content)["whatsapp"]["messages"]
    assert [message["content"]["x"] for message in written] == bodies
    assert [message["to"] for message in written] == [f"+{FIRST + place}" for place in range(len(bodies))]
