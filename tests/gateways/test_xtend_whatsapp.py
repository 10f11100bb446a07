"""Xtend WhatsApp: what goes on the wire, and what each answer means."""

import json

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
    PauseCampaign,
    PerMessage,
    Throttled,
)
from worker.domain.batch import Message, Outgoing
from worker.gateways.xtend_whatsapp import XtendWhatsApp
from worker.gateways.xtend_whatsapp_codes import BY_CLASS, BY_CODE, BY_STATUS

KEY = "wabak3yk3yk3y"
TO = 919000000001
ID = "wamid.HBgMOTE3OTcyODkyNzEyFQIAERgSQUM3MzRCRjdFREYzOENDNTgwAA=="
BODY = '{"type":"text","text":{"body":"Hello Asha, \\"one\\"","preview_url":false}}'


def gateway():
    return XtendWhatsApp("https://waba.xtendonline.com", "1234/5", KEY)


def outgoing(body=BODY):
    return Outgoing(reference="diwali-x1:7", sender="", options={}, messages=(Message(TO, body),))


def answer(status, document=b"", **headers):
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    names = {name.replace("_", "-"): text for name, text in headers.items()}
    return Answer(status=status, headers=names, body=body, received_at=1_800_000_000.0)


def taken(echo="919000000001", gateway_id=ID):
    """An answer in the form of the reference's sample."""
    return {
        "messaging_product": "whatsapp",
        "contacts": [{"input": echo, "wa_id": "919000000001"}],
        "messages": [{"id": gateway_id}],
    }


def refused(code=131000, message="Something went wrong"):
    return {"error": {"message": message, "type": "OAuthException", "code": code, "fbtrace_id": "A"}}


def read(status, document=b"", **headers):
    return gateway().read(answer(status, document, **headers), outgoing())


# What goes on the wire


def test_a_message_is_one_call_with_the_members_of_its_content():
    adapter = gateway()
    assert (adapter.name, adapter.batch_limit, adapter.origin) == ("xtend-whatsapp", 1, "https://waba.xtendonline.com")
    call = adapter.write(outgoing())
    assert (call.method, call.url) == ("POST", "https://waba.xtendonline.com/v3/1234%2F5/messages")
    assert dict(call.headers) == {"apikey": KEY, "Content-Type": "application/json", "Accept": "application/json"}
    assert json.loads(call.content) == {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": "919000000001",
        "type": "text",
        "preview_url": False,
        "text": {"body": 'Hello Asha, "one"'},
    }


def test_the_documents_own_sample_is_written_as_it_stands():
    sample = {"preview_url": False, "recipient_type": "individual", "type": "text", "text": {"body": "Sample-text"}}
    call = gateway().write(outgoing(json.dumps(sample)))
    assert json.loads(call.content) == {"messaging_product": "whatsapp", "to": "919000000001", **sample}


def test_a_content_never_names_the_recipient_and_half_a_surrogate_pair_becomes_a_question_mark():
    call = gateway().write(outgoing('{"type":"text","to":"0","text":{"body":"a\ud83d"}}'))
    assert json.loads(call.content)["to"] == "919000000001"
    assert json.loads(call.content)["text"] == {"body": "a?"}


def test_the_key_shows_in_its_header_only():
    adapter = gateway()
    call = adapter.write(outgoing())
    for shown in (repr(adapter), repr(call), call.url, call.content.decode(), repr(outgoing())):
        assert KEY not in shown
    assert "Asha" not in repr(call)
    assert "90000" not in repr(call)


# What answers mean


@pytest.mark.parametrize("status", [200, 201])
@pytest.mark.parametrize("echo", ["919000000001", "+919000000001", "9000000001", None])
def test_an_id_is_acceptance(status, echo):
    assert read(status, taken(echo)) == PerMessage(outcomes=(Accepted(gateway_id=ID),))


def test_an_answer_without_contacts_is_acceptance_too():
    assert read(200, {"messages": [{"id": "m1"}]}) == PerMessage(outcomes=(Accepted(gateway_id="m1"),))


@pytest.mark.parametrize(
    ("status", "document"),
    [
        (200, taken("919000000002")),
        (200, taken("somebody")),
        (200, taken("")),
        (200, taken({})),
        (200, taken(gateway_id="")),
        (200, taken(gateway_id=None)),
        (200, taken(gateway_id="a b")),
        (200, taken() | refused()),
        (200, {"messages": []}),
        (200, {"messages": {"id": ID}}),
        (200, {"messages": [ID]}),
        (200, {}),
        (200, []),
        (200, b""),
        (200, b"OK"),
        (200, b"[" * 100_000),
        (201, b""),
        (202, taken()),
        (204, b""),
        (204, taken()),
        (204, refused()),
    ],
)
def test_a_2xx_that_does_not_name_the_message_is_lost(status, document):
    assert isinstance(read(status, document), Lost)


def test_a_2xx_that_says_an_error_rejects_the_message():
    assert read(200, refused(131026, "Message undeliverable")) == AllRejected(
        code="131026", reason="Xtend refused the message; Xtend says: Message undeliverable"
    )
    assert read(200, {"error": "No such template"}) == AllRejected(
        code="", reason="Xtend refused the message; Xtend says: No such template"
    )


HOLD = HoldAccount
TABLE = [
    (301, None, HOLD), (302, None, HOLD), (308, None, HOLD),
    (400, None, Isolate), (400, 131026, Isolate), (400, 131056, Isolate), (400, "x", Isolate),
    (400, 4, Throttled), (400, 80007, Throttled), (400, 130429, Throttled), (400, 131048, Throttled),
    (400, 131031, HOLD), (400, 131042, HOLD), (400, 133010, HOLD), (400, 368, HOLD),
    (400, 132001, PauseCampaign), (400, 132007, PauseCampaign), (400, 132015, PauseCampaign),
    (400, 132016, PauseCampaign), (404, 132001, PauseCampaign), (404, 131026, HOLD), (403, 131031, HOLD),
    (200, 131042, HOLD), (200, 130429, Throttled), (200, 132015, PauseCampaign), (200, 131026, AllRejected),
    (401, None, HOLD), (401, 190, HOLD), (402, None, HOLD), (403, None, HOLD), (403, 130429, HOLD), (404, None, HOLD),
    (405, None, HOLD), (406, None, Lost), (408, None, Lost), (409, None, Lost), (413, None, Isolate), (422, 1, Lost),
    (429, None, Throttled), (429, 130429, Throttled),
    (500, None, Lost), (500, 131000, Lost), (502, None, Lost), (503, None, Throttled), (503, 131016, Throttled),
    (504, None, Lost), (599, None, Lost), (0, None, Lost), (100, None, Lost), (600, None, Lost),
]  # fmt: skip


@pytest.mark.parametrize(("status", "code", "disposition"), TABLE)
def test_status_and_code_decide(status, code, disposition):
    for document in [refused(code), b"<html>", b""] if code is None else [refused(code), refused(str(code))]:
        found = read(status, document)
        assert type(found) is disposition
        assert found.code == str(code or "")


def test_the_test_table_names_every_rule():
    assert set(BY_STATUS) <= {status for status, _, _ in TABLE}
    assert set(BY_CLASS) <= {status // 100 for status, _, _ in TABLE}
    assert set(BY_CODE) <= {str(code) for _, code, _ in TABLE}


def test_a_throttled_call_carries_the_pause_that_the_gateway_asks_for():
    assert read(429, retry_after="30") == Throttled(code="", reason="too many calls (429)", retry_after_s=30.0)


def test_an_account_that_can_not_pay_costs_no_recipient_and_may_send_again_by_itself():
    assert read(400, refused(131042, "Business eligibility payment issue")) == HoldAccount(
        code="131042",
        reason="the account can not pay (400/131042): recharge it at Xtend, then open the account; "
        "Xtend says: Business eligibility payment issue",
        may_pass=True,
    )


def test_reasons_say_what_to_do():
    assert read(401, refused(190, "Access token has expired")) == HoldAccount(
        code="190",
        reason="Xtend refused the credentials (401/190): check api_key of the account, then open the account; "
        "Xtend says: Access token has expired",
    )


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("not on WhatsApp: +919000000001", "not on WhatsApp: [number]"),
        (f"key {KEY}", "key [secret]"),
        ('can not send Hello Asha, "one"', "can not send [body]"),
        (f"can not send {BODY}", "can not send [body]"),
        ("half \ud83d", "half ?"),
    ],
)
@pytest.mark.parametrize("status", [200, 204, 400, 401, 500])
def test_no_reason_names_a_number_a_body_or_the_key(status, said, shown):
    assert read(status, refused(1, said)).reason.endswith(f"Xtend says: {shown}")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["error", "messages", "contacts", "id", "input", "code", "message"]), inner)
    ),
    max_leaves=15,
)
STATUSES = st.sampled_from([200, 201, 204, 400, 401, 429, 500, 503])


@given(status=STATUSES | st.integers(0, 1000), document=JSON, body=st.binary(), retry=st.text())
def test_nothing_makes_reading_raise(status, document, body, retry):
    for said in (body, json.dumps(document).encode()):
        found = gateway().read(
            Answer(status=status, headers={"retry-after": retry}, body=said, received_at=0.0), outgoing()
        )
        repr(found).encode()
        if isinstance(found, PerMessage):
            assert len(found.outcomes) == 1
