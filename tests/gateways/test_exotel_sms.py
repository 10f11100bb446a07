"""Exotel SMS: what goes on the wire, and what each answer means."""

import json
from base64 import b64encode
from pathlib import Path
from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.account_models import ExotelSmsAccount
from config.credentials import Credentials
from worker.domain.answers import (
    Accepted,
    AllRejected,
    Answer,
    HoldAccount,
    Isolate,
    LeaveAccount,
    Lost,
    PauseCampaign,
    PerMessage,
    Rejected,
    Throttled,
    Unconfirmed,
)
from worker.domain.batch import Message, Outgoing
from worker.gateways import registry
from worker.gateways.exotel_codes import BY_CODE, BY_STATUS, DETAILS
from worker.gateways.exotel_sms import ExotelSms

BODIES = Path(__file__).parent / "exotel_sms"
KEY, TOKEN = "k3yk3yk3y", "t0kent0ken"
BASIC = b64encode(f"{KEY}:{TOKEN}".encode()).decode()
SECRETS = (KEY, TOKEN, BASIC)
FIRST, SECOND = 919000000001, 919000000002
OPTIONS = {
    "sms_type": "transactional",
    "dlt_entity_id": "1101000000000000001",
    "dlt_template_id": "1107000000000000001",
}


def gateway(retry_503="any"):
    return ExotelSms("https://api.in.exotel.com", "acme1", KEY, TOKEN, retry_503)


def outgoing(*messages, sender="EXOTEL", options=None, callback_url=""):
    return Outgoing(
        reference="diwali-x1/7",
        sender=sender,
        options=options or {},
        callback_url=callback_url,
        messages=tuple(Message(*message) for message in messages),
    )


TWO = outgoing((FIRST, "Hello World one"), (SECOND, "Hello World two"))
SAME = outgoing((FIRST, "Hello World!"), (SECOND, "Hello World!"))
ONE = outgoing((FIRST, "Hello World one"))


def answer(status, body=b"", **headers):
    if isinstance(body, str):
        body = (BODIES / body).read_bytes()
    elif not isinstance(body, bytes):
        body = json.dumps(body).encode()
    names = {name.replace("_", "-"): text for name, text in headers.items()}
    return Answer(status=status, headers=names, body=body, received_at=1_800_000_000.0)


def refusal(status, code=None, message="No."):
    document = {"Status": status, "Message": message} | ({} if code is None else {"Code": code})
    return answer(status, {"RestException": document})


def entry(**fields):
    return {"SMSMessage": fields}


# What goes on the wire


def test_one_text_for_all_is_the_static_bulk_call():
    call = gateway().write(
        outgoing((FIRST, "50 % off & more"), (SECOND, "50 % off & more"), options=OPTIONS),
    )
    assert call.method == "POST"
    assert call.url == "https://api.in.exotel.com/v1/Accounts/acme1/Sms/send.json"
    assert dict(call.headers) == {
        "Authorization": f"Basic {BASIC}",
        "Content-Type": "application/x-www-form-urlencoded",
        "Accept": "application/json",
    }
    assert call.content == (
        b"CustomField=diwali-x1%2F7&From=EXOTEL&SmsType=transactional&DltEntityId=1101000000000000001"
        b"&DltTemplateId=1107000000000000001&To%5B%5D=%2B919000000001&To%5B%5D=%2B919000000002"
        b"&Body=50+%25+off+%26+more"
    )


def test_texts_that_differ_are_the_dynamic_bulk_call():
    call = gateway().write(outgoing((FIRST, "Hello one"), (SECOND, "नमस्ते"), options=OPTIONS))
    assert call.method == "POST"
    assert call.url == "https://api.in.exotel.com/v1/Accounts/acme1/Sms/bulksend.json"
    assert call.content == (
        b"CustomField=diwali-x1%2F7&From=EXOTEL&DltEntityId=1101000000000000001"
        b"&Messages%5B0%5D%5BTo%5D=%2B919000000001&Messages%5B0%5D%5BBody%5D=Hello+one"
        b"&Messages%5B0%5D%5BSmsType%5D=transactional&Messages%5B0%5D%5BDltTemplateId%5D=1107000000000000001"
        b"&Messages%5B1%5D%5BTo%5D=%2B919000000002"
        b"&Messages%5B1%5D%5BBody%5D=%E0%A4%A8%E0%A4%AE%E0%A4%B8%E0%A5%8D%E0%A4%A4%E0%A5%87"
        b"&Messages%5B1%5D%5BSmsType%5D=transactional&Messages%5B1%5D%5BDltTemplateId%5D=1107000000000000001"
    )


def test_what_the_campaign_does_not_give_is_left_out():
    call = gateway().write(outgoing((FIRST, "Hi"), sender=""))
    assert call.content == b"CustomField=diwali-x1%2F7&To=%2B919000000001&Body=Hi"


def test_one_message_is_the_single_send():
    call = gateway().write(outgoing((FIRST, "Hello one"), options=OPTIONS))
    assert call.url == "https://api.in.exotel.com/v1/Accounts/acme1/Sms/send.json"
    assert call.content == (
        b"CustomField=diwali-x1%2F7&From=EXOTEL&SmsType=transactional&DltEntityId=1101000000000000001"
        b"&DltTemplateId=1107000000000000001&To=%2B919000000001&Body=Hello+one"
    )


ALL_OPTIONS = OPTIONS | {
    "encoding_type": "unicode",
    "exotel_priority": "high",
    "shorten_url": "true",
    "shorten_url_params.Header": "EXOTEL",
    "shorten_url_params.Tracking": "true",
    "custom_field": "order desk & co",
}
OF_THE_CALL = [
    ("EncodingType", "unicode"), ("Priority", "high"), ("ShortenUrl", "true"), ("ShortenUrlParams[Header]", "EXOTEL"),
    ("ShortenUrlParams[Tracking]", "true"), ("StatusCallback", "https://sms.example.org/dlr/main/t0k?a=1&b=2"),
]  # fmt: skip
CALLBACK = "https://sms.example.org/dlr/main/t0k?a=1&b=2"
HEAD = [("CustomField", "diwali-x1/7 order desk & co"), ("From", "EXOTEL")]
ENTITY, TEMPLATE = ("DltEntityId", "1101000000000000001"), ("DltTemplateId", "1107000000000000001")


def fields_of(*messages, **given):
    call = gateway().write(outgoing(*messages, **given))
    return call.url.rpartition("/")[2], parse_qsl(call.content.decode(), keep_blank_values=True, strict_parsing=True)


def test_a_callback_of_the_campaigns_own_goes_before_ours():
    given = {"options": {"status_callback": "https://reports.example.com/sms"}, "callback_url": CALLBACK}
    _, fields = fields_of((FIRST, "Hi"), **given)
    assert [text for key, text in fields if key == "StatusCallback"] == ["https://reports.example.com/sms"]


def test_every_documented_parameter_can_be_given():
    given = {"options": ALL_OPTIONS, "callback_url": CALLBACK}
    of_all = [*HEAD, ("SmsType", "transactional"), ENTITY, TEMPLATE, *OF_THE_CALL]
    assert fields_of((FIRST, "Hi"), **given) == ("send.json", [*of_all, ("To", f"+{FIRST}"), ("Body", "Hi")])
    assert fields_of((FIRST, "Hi"), (SECOND, "Hi"), **given) == (
        "send.json",
        [*of_all, ("To[]", f"+{FIRST}"), ("To[]", f"+{SECOND}"), ("Body", "Hi")],
    )
    each = [("SmsType", "transactional"), TEMPLATE]
    texts = [(FIRST, "Hi"), (SECOND, "Ho")]
    assert fields_of(*texts, **given) == (
        "bulksend.json",
        [*HEAD, ENTITY, *OF_THE_CALL]
        + [
            (f"Messages[{place}][{key}]", value)
            for place, (to, body) in enumerate(texts)
            for key, value in [("To", f"+{to}"), ("Body", body), *each]
        ],
    )


def test_a_messages_own_options_go_before_the_calls():
    own = {"from": "PAYDAY", "sms_type": "promotional", "dlt_template_id": "1107000000000000002"}
    expected = [
        ("CustomField", "diwali-x1/7"), ("From", "PAYDAY"), ("SmsType", "promotional"), ENTITY,
        ("DltTemplateId", "1107000000000000002"),
    ]  # fmt: skip
    one = fields_of((FIRST, "Hi", own), options=OPTIONS)
    assert one == ("send.json", [*expected, ("To", f"+{FIRST}"), ("Body", "Hi")])
    same = fields_of((FIRST, "Hi", own), (SECOND, "Hi", dict(own)), options=OPTIONS)
    assert same == ("send.json", [*expected, ("To[]", f"+{FIRST}"), ("To[]", f"+{SECOND}"), ("Body", "Hi")])
    name, fields = fields_of((FIRST, "Hi", own), (SECOND, "Ho", dict(own)), options=OPTIONS)
    assert name == "bulksend.json"
    assert fields[:3] == [("CustomField", "diwali-x1/7"), ("From", "PAYDAY"), ENTITY]
    assert [fields[place] for place in (5, 6, 9, 10)] == [
        (f"Messages[{place}][{key}]", own[name])
        for place in (0, 1)
        for key, name in (("SmsType", "sms_type"), ("DltTemplateId", "dlt_template_id"))
    ]


def test_messages_that_differ_in_an_option_go_as_dynamic_bulk_though_their_texts_are_equal():
    messages = [(FIRST, "Hi", {"from": "PAYDAY"}), (SECOND, "Hi", {"from": "EXOTEL", "sms_type": "promotional"})]
    assert fields_of(*messages, options=OPTIONS, sender="") == (
        "bulksend.json",
        [
            ("CustomField", "diwali-x1/7"), ENTITY,
            ("Messages[0][To]", f"+{FIRST}"), ("Messages[0][Body]", "Hi"), ("Messages[0][From]", "PAYDAY"),
            ("Messages[0][SmsType]", "transactional"), ("Messages[0][DltTemplateId]", TEMPLATE[1]),
            ("Messages[1][To]", f"+{SECOND}"), ("Messages[1][Body]", "Hi"), ("Messages[1][From]", "EXOTEL"),
            ("Messages[1][SmsType]", "promotional"), ("Messages[1][DltTemplateId]", TEMPLATE[1]),
        ],
    )  # fmt: skip


OWN = st.fixed_dictionaries({}, optional={name: st.sampled_from("ab") for name in ("from", *OPTIONS)})


@given(
    messages=st.lists(st.tuples(st.sampled_from(["one", "two"]), OWN), min_size=1, max_size=6),
    options=st.dictionaries(st.sampled_from(sorted(OPTIONS)), st.just("c")),
)
def test_whatever_the_call_each_message_has_its_settings(messages, options):
    batch = [(FIRST + place, text, {k: v for k, v in own.items() if k != "dlt_entity_id"})
             for place, (text, own) in enumerate(messages)]  # fmt: skip
    _, fields = fields_of(*batch, options=options, sender="")
    given = dict(fields)
    for place, (_, text, own) in enumerate(batch):

        def found(key, place=place):
            return given.get(f"Messages[{place}][{key}]", given.get(key, ""))

        assert found("Body") == text
        assert found("From") == own.get("from", "")
        assert found("SmsType") == own.get("sms_type", options.get("sms_type", ""))
        assert found("DltTemplateId") == own.get("dlt_template_id", options.get("dlt_template_id", ""))


@given(
    texts=st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), min_size=2, max_size=100),
    sender=st.text(st.characters(exclude_categories=["Cs"]), min_size=1),
)
def test_the_form_is_what_urlencode_writes(texts, sender):
    batch = outgoing(*((FIRST + place, text) for place, text in enumerate(texts)), sender=sender)
    fields = [("CustomField", "diwali-x1/7"), ("From", sender)]
    if len(set(texts)) == 1:
        fields += [*(("To[]", f"+{FIRST + place}") for place in range(len(texts))), ("Body", texts[0])]
    else:
        for place, text in enumerate(texts):
            fields += [(f"Messages[{place}][To]", f"+{FIRST + place}"), (f"Messages[{place}][Body]", text)]
    content = gateway().write(batch).content
    assert content == urlencode(fields).encode()
    assert parse_qsl(content.decode(), keep_blank_values=True) == fields


def test_half_a_surrogate_pair_does_not_stop_the_batch():
    content = gateway().write(outgoing((FIRST, "a\ud83db"), (SECOND, "ok"))).content
    assert b"=a%3Fb&" in content


def test_credentials_show_in_the_authorization_header_only():
    adapter = gateway()
    call = adapter.write(TWO)
    for shown in (repr(adapter), repr(call), call.url, call.content.decode()):
        assert not any(secret in shown for secret in SECRETS)
    assert "Hello" not in repr(call)


def test_the_registry_builds_the_adapter_of_an_account():
    account = ExotelSmsAccount.from_table(
        "main",
        {
            "gateway": "exotel-sms",
            "base_url": "http://127.0.0.1:9901",
            "sid": "acme1",
            "api_key": KEY,
            "api_token": TOKEN,
        },
    )
    built = registry.build(account, Credentials(api_key=KEY, api_token=TOKEN))
    assert (built.name, built.batch_limit, built.origin) == ("exotel-sms", 100, "http://127.0.0.1:9901")
    call = built.write(ONE)
    assert call.url == "http://127.0.0.1:9901/v1/Accounts/acme1/Sms/send.json"
    assert call.headers["Authorization"] == f"Basic {BASIC}"


# Answers that judge each message


@pytest.mark.parametrize("status", [200, 202, 207])
def test_each_entry_with_an_id_is_accepted(status):
    assert gateway().read(answer(status, "accepted.json"), TWO) == PerMessage(
        outcomes=(
            Accepted(gateway_id="0f477d60517e6e6a0f6d9a7e9af8630e", code="21010"),
            Accepted(gateway_id="1393e66deb633e7297bcfa9a9da0bb37", code="21010"),
        )
    )


def test_a_single_send_may_answer_with_a_bare_object():
    expected = PerMessage(outcomes=(Accepted(gateway_id="0f477d60517e6e6a0f6d9a7e9af8630e", code="21010"),))
    assert gateway().read(answer(200, "accepted-one-bare.json"), ONE) == expected


def test_the_answer_to_a_single_send_may_be_xml():
    expected = PerMessage(outcomes=(Accepted(gateway_id="0f477d60517e6e6a0f6d9a7e9af8630e", code="21010"),))
    assert gateway().read(answer(200, "accepted-one.xml"), ONE) == expected


def test_the_answer_to_a_bulk_call_may_be_xml():
    expected = gateway().read(answer(200, "accepted.json"), TWO)
    assert gateway().read(answer(200, "accepted.xml"), TWO) == expected


@pytest.mark.parametrize(
    ("body", "batch", "code", "reason"),
    [
        ("partial-dynamic.json", TWO, "23000", "FAILED_MISSING_BODY"),
        ("partial-dynamic.xml", TWO, "23000", "FAILED_MISSING_BODY"),
        ("partial-static.json", SAME, "23010", "FAILED_INVALID_DESTINATION_NUMBER"),
        ("partial-static.xml", SAME, "23010", "FAILED_INVALID_DESTINATION_NUMBER"),
    ],
)
def test_a_failed_entry_rejects_its_own_message_only(body, batch, code, reason):
    assert gateway().read(answer(207, body), batch) == PerMessage(
        outcomes=(
            Rejected(code=code, reason=reason),
            Accepted(gateway_id="1393e66deb633e7297bcfa9a9da0bb37", code="21010"),
        )
    )


def test_a_byte_order_mark_and_broken_text_do_not_cost_the_answer():
    body = b"\xef\xbb\xbf" + json.dumps([entry(Sid="s1", Status="queued", Note="?")]).encode().replace(b"?", b"\xff")
    assert gateway().read(answer(200, body), ONE) == PerMessage(outcomes=(Accepted(gateway_id="s1"),))


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (201, "accepted.json"),
        (204, b""),
        (200, b""),
        (200, b"null"),
        (200, b"[]"),
        (200, b"OK"),
        (200, "proxy-502.html"),
        (200, b"<TwilioResponse><SMSMessage><Sid>s1</Sid>"),
        (200, b"<TwilioResponse></TwilioResponse>"),
        (200, "refused-403.xml"),
        (200, b'{"SMSMessages": []}'),
        (200, b"[" * 100_000),
        (200, (BODIES / "accepted.json").read_bytes()[:700]),
        (200, {"RestException": {"Status": 400, "Code": 40203, "Message": "No."}}),
        (207, [entry(Sid=None, Status="queued"), entry()]),
        (207, [{"RestException": {"Code": 40203}}, 7]),
    ],
)
def test_a_2xx_that_tells_nothing_is_lost(status, body):
    assert isinstance(gateway().read(answer(status, body), TWO), Lost)


FAILED = {"Sid": None, "Status": "failed"}


@pytest.mark.parametrize("status", [200, 207])
@pytest.mark.parametrize("codes", [(23072, 23072), (23070, "23089"), (23185, 23281), (23181, 23084)])
def test_entries_that_all_blame_sender_entity_or_template_are_a_refused_call(status, codes):
    read = gateway().read(answer(status, [entry(**FAILED, DetailedStatusCode=code) for code in codes]), TWO)
    each = tuple(Rejected(code=str(code), reason=DETAILS.get(str(code), "FAILED")) for code in codes)
    assert read == AllRejected(code=each[0].code, reason=each[0].reason, each=each)
    assert read.outcomes(2) == each


@pytest.mark.parametrize(
    "others", [{**FAILED, "DetailedStatusCode": 23010}, {"Sid": "s1", "Status": "queued"}, {"Sid": None}]
)
def test_one_entry_that_blames_something_else_makes_the_call_no_refused_one(others):
    found = [entry(**FAILED, DetailedStatusCode=23072), entry(**others)]
    assert isinstance(gateway().read(answer(207, found), TWO), PerMessage)


# Refusals: the table of the design, each status and code in all the spellings that a code may have

HOLD, PAUSE, LEAVE = HoldAccount, PauseCampaign, LeaveAccount
TABLE = [
    (301, None, HOLD), (302, None, HOLD), (307, 40500, HOLD),
    (400, None, Isolate), (400, 34001, HOLD), (400, 40200, Isolate), (400, 40201, Isolate), (400, 40202, Isolate),
    (400, 40203, AllRejected), (400, 40204, PAUSE), (400, 40205, PAUSE), (400, 40206, PAUSE), (400, 40207, PAUSE),
    (400, 40208, PAUSE), (400, 40209, PAUSE), (400, 40210, LEAVE), (400, 40300, LEAVE), (400, 40301, LEAVE),
    (400, 40400, PAUSE), (400, 40406, PAUSE), (400, 40500, Isolate), (400, 99999, Isolate),
    (401, None, HOLD), (401, 34010, HOLD), (401, "UNAUTHORIZED", HOLD), (402, None, HOLD), (402, 40001, HOLD),
    (403, None, HOLD), (403, 34009, HOLD), (403, 34010, HOLD), (403, 40000, HOLD), (403, 40001, HOLD),
    (403, 40002, HOLD), (403, 40003, LEAVE), (403, 340030, HOLD), (403, 99999, Lost), (403, "FORBIDDEN", HOLD),
    (404, None, HOLD), (404, 40500, HOLD), (405, 40502, HOLD), (405, None, HOLD), (408, None, Lost), (409, None, Lost),
    (410, None, Lost), (413, None, Isolate), (418, None, Lost), (422, 40202, Lost),
    (429, None, Throttled), (429, 40402, Throttled), (429, 40403, Throttled), (429, 40404, HOLD),
    (429, "RATE_LIMIT_EXCEEDED", Throttled),
    (500, None, Lost), (500, 35000, HOLD), (500, 40100, Lost), (502, None, Lost), (504, None, Lost), (599, None, Lost),
    (503, None, Throttled), (503, 40405, Throttled), (503, 35006, Throttled), (503, 35008, Throttled),
    (100, None, Lost), (101, None, Lost), (600, None, Lost), (999, None, Lost),
]  # fmt: skip


@pytest.mark.parametrize(("status", "code", "disposition"), TABLE)
def test_status_and_code_decide(status, code, disposition):
    for spelling in {code, None if code is None else str(code)}:
        read = gateway().read(refusal(status, spelling), TWO)
        assert type(read) is disposition
        assert read.code == ("" if code is None else str(code))


def test_the_test_table_names_every_rule():
    assert set(BY_CODE) <= {(status, str(code or "")) for status, code, _ in TABLE}
    assert set(BY_STATUS) <= {status for status, _, _ in TABLE}


@pytest.mark.parametrize(
    ("status", "code", "headers", "disposition"),
    [
        (503, None, {}, Lost),
        (503, 35008, {}, Lost),
        (503, 40405, {}, Throttled),
        (503, 35006, {}, Throttled),
        (503, None, {"retry_after": "20"}, Throttled),
        (503, None, {"retry_after": " "}, Lost),
        (429, None, {}, Throttled),
    ],
)
def test_documented_takes_a_bare_503_for_lost(status, code, headers, disposition):
    body = {"RestException": {"Status": status} | ({"Code": code} if code else {})}
    assert type(gateway("documented").read(answer(status, body, **headers), TWO)) is disposition


def test_a_throttled_call_carries_the_pause_that_the_gateway_asks_for():
    assert gateway().read(answer(429, b"", retry_after="30"), TWO) == Throttled(
        code="", reason="too many calls (429)", retry_after_s=30.0
    )
    assert gateway().read(answer(503, "refused-503-35008.json"), TWO) == Throttled(
        code="35008", reason="Exotel is busy (503/35008); Exotel says: Service Unavailable;"
    )


@pytest.mark.parametrize(
    ("status", "body", "disposition"),
    [
        (400, b"", Isolate), (400, "proxy-502.html", Isolate), (400, b"[]", Isolate), (400, b"7", Isolate),
        (401, "proxy-502.html", HOLD), (403, "refused-403.xml", HOLD), (403, "proxy-502.html", HOLD),
        (502, "proxy-502.html", Lost), (429, b"\xff\xfe", Throttled),
    ],
)  # fmt: skip
def test_a_refusal_needs_no_json(status, body, disposition):
    assert type(gateway().read(answer(status, body), TWO)) is disposition


def test_reasons_say_what_to_do():
    assert gateway().read(refusal(401, 34010, "Unauthorized;"), TWO) == HoldAccount(
        code="34010",
        reason="Exotel refused the credentials (401/34010): check api_key and api_token of the account, "
        "then open the account; Exotel says: Unauthorized;",
    )
    assert (
        gateway()
        .read(answer(401, "refused-401-no-code.json"), TWO)
        .reason.endswith("Exotel says: Authentication is required to view this page.")
    )
    assert gateway().read(answer(403, "refused-403.xml"), TWO) == HoldAccount(
        code="40001",
        reason="the account's balance is used up (403/40001): recharge it at Exotel, then open the account; "
        "Exotel says: Insufficient balance to send 2 sms. Please recharge your account.",
        may_pass=True,
    )


def test_a_refusal_of_all_has_one_reason_whatever_the_numbers():
    assert gateway().read(answer(400, "refused-400-40203.json"), TWO) == AllRejected(
        code="40203", reason="All the destination numbers are invalid"
    )


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("invalid: +919000000001, 09000000002,9000000003", "invalid: [number]"),
        ("invalid: +91 90000 00001 and (090) 0000-0002", "invalid: [number] and ([number]"),
        (f"key {KEY} with {TOKEN} or {BASIC}", "key [secret] with [secret] or [secret]"),
        ("can not encode Hello World one", "can not encode [body]"),
        ("wrong for Msg=[anything at all", "wrong for Msg=[body]"),
        ("two\r\nlines", "two lines"),
        ("half \ud83d", "half ?"),
        ("é" * 300, "é" * 199 + "…"),
    ],
)
def test_the_gateways_own_words_name_no_number_body_or_credential(said, shown):
    read = gateway().read(refusal(400, None, said), TWO)
    assert read.reason == f"Exotel refused the call as it stands (400); Exotel says: {shown}"


def test_the_address_for_reports_is_not_repeated():
    batch = outgoing((FIRST, "Hi"), callback_url=CALLBACK)
    read = gateway().read(refusal(400, None, f"StatusCallback {CALLBACK} is wrong"), batch)
    assert read.reason.endswith("says: StatusCallback [callback] is wrong")


def test_the_body_that_exotel_quotes_is_not_repeated():
    read = gateway().read(answer(400, "refused-400-40209.json"), TWO)
    assert "Hello" not in read.reason
    assert read.reason.endswith("for Msg=[body]")


@pytest.mark.parametrize("code", [9190000000017, "x9000000001", True, 1.5, [], {}, "", "a b", "é", "c" * 41, -1])
def test_what_is_no_code_is_taken_for_none(code):
    assert gateway().read(refusal(400, code), TWO).code == ""


# Whatever the gateway says

KEYS = st.sampled_from(["SMSMessage", "RestException", "Sid", "To", "Body", "Status", "Code", "Message"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            KEYS | st.text(),
            inner,
            max_size=6,
        )
    ),
    max_leaves=20,
)
ENTRIES = st.lists(
    st.builds(
        lambda fields: {"SMSMessage": fields},
        st.dictionaries(
            st.sampled_from(["Sid", "To", "Body", "Status", "DetailedStatusCode", "DetailedStatus"]),
            st.sampled_from([f"0{FIRST - 91 * 10**10}", SECOND, "Hello World two", "failed", "queued", 23010]) | JSON,
        ),
    ),
    max_size=4,
)


def check(status, body, headers=None):
    for policy in ("any", "documented"):
        said = Answer(status=status, headers=headers or {}, body=body, received_at=0.0)
        read = gateway(policy).read(said, TWO)
        if isinstance(read, PerMessage):
            assert len(read.outcomes) == len(TWO.messages)
            assert not all(isinstance(outcome, Unconfirmed) for outcome in read.outcomes)
        repr(read).encode()


@given(status=st.integers(min_value=0, max_value=1000), body=st.binary(), retry=st.text())
def test_no_bytes_and_no_header_make_reading_raise(status, body, retry):
    check(status, body, {"retry-after": retry, "x-ratelimit-reset": retry, "date": retry})


@given(status=st.sampled_from([200, 202, 207, 400, 403, 429, 500, 503]), document=JSON | ENTRIES)
def test_no_json_makes_reading_raise(status, document):
    check(status, json.dumps(document).encode())
