"""Xtend SMS: what goes on the wire, and what each answer means."""

import json
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.account_models import XtendSmsAccount
from config.credentials import Credentials
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
from worker.gateways.xtend_codes import CodeClass, meanings

PASSWORD = "p4ss w&rd"
SECRETS = (PASSWORD, "p4ss+w%26rd", "p4ss%20w%26rd")
FIRST = 919000000001
OPTIONS = {
    "sms_type": "transactional",
    "dlt_entity_id": "1101000000000000001",
    "dlt_template_id": "1107000000000000001",
}
TABLE = {
    "gateway": "xtend-sms",
    "username": "acme1",
    "password": "env:XTEND_PASSWORD",
    "dlt_header_id": "1105000000000000001",
}
UNKNOWN = "Xtend refused it with a code that its document does not have"
HOLD, PAUSE = HoldAccount, PauseCampaign


def gateway(**keys):
    account = XtendSmsAccount.from_table("main", TABLE | keys)
    return registry.build(account, account.credentials({"XTEND_PASSWORD": PASSWORD}))


def outgoing(body="Hello World one", *, to=FIRST, sender="ACMEIN", options=None, own=None):
    message = Message(to=to, body=body, options=own or {})
    return Outgoing(reference="diwali-x1/7", sender=sender, options=options or {}, messages=(message,))


ONE = outgoing()


def answer(status, body="", **headers):
    content = body if isinstance(body, bytes) else body.encode()
    names = {name.replace("_", "-"): text for name, text in headers.items()}
    return Answer(status=status, headers=names, body=content, received_at=1_800_000_000.0)


def rejected(code, reason):
    return PerMessage(outcomes=(Rejected(code=code, reason=reason),))


def accepted(gateway_id, code=""):
    return PerMessage(outcomes=(Accepted(gateway_id=gateway_id, code=code),))


# What goes on the wire


def test_a_call_is_a_post_with_the_password_in_its_body():
    call = gateway().write(outgoing("50 % off & more", options=OPTIONS))
    assert call.method == "POST"
    assert call.url == "http://smsapi.xtendonline.com/blank/sms/user/urlsms.php"
    assert dict(call.headers) == {"Content-Type": "application/x-www-form-urlencoded"}
    assert call.content == (
        b"username=acme1&pass=p4ss+w%26rd&senderid=ACMEIN&dest_mobileno=919000000001&message=50+%25+off+%26+more"
        b"&msgtype=TXT&dltheaderid=1105000000000000001&dltentityid=1101000000000000001"
        b"&dlttempid=1107000000000000001&response=Y"
    )


def test_a_text_outside_the_gsm_alphabet_goes_as_unicode():
    call = gateway().write(outgoing("नमस्ते"))
    assert call.content == (
        b"username=acme1&pass=p4ss+w%26rd&senderid=ACMEIN&dest_mobileno=919000000001"
        b"&message=%E0%A4%A8%E0%A4%AE%E0%A4%B8%E0%A5%8D%E0%A4%A4%E0%A5%87"
        b"&msgtype=UNI&dltheaderid=1105000000000000001&response=Y"
    )


@pytest.mark.parametrize(("body", "kind"), [("{a} 5 €", "TXT"), ("₹5", "UNI"), ("half \ud83d", "UNI")])
def test_the_alphabet_chooses_the_type(body, kind):
    assert dict(parse_qsl(gateway().write(outgoing(body)).content.decode()))["msgtype"] == kind


def test_what_the_campaign_does_not_give_is_left_out():
    fields = parse_qsl(gateway().write(outgoing("Hi", sender="")).content.decode(), keep_blank_values=True)
    names = [name for name, _ in fields]
    assert names == ["username", "pass", "dest_mobileno", "message", "msgtype", "dltheaderid", "response"]


def test_a_messages_own_options_go_before_the_campaigns():
    own = {"dlt_template_id": "1107000000000000002", "from": "OTHER"}
    fields = dict(parse_qsl(gateway().write(outgoing(options=OPTIONS, own=own)).content.decode()))
    assert (fields["dlttempid"], fields["senderid"]) == ("1107000000000000002", "OTHER")
    assert fields["dltentityid"] == "1101000000000000001"


@pytest.mark.parametrize(
    ("base_url", "origin", "url"),
    [
        ("http://127.0.0.1:9901/", "http://127.0.0.1:9901", "http://127.0.0.1:9901/blank/sms/user/urlsms.php"),
        ("https://h/sms/user/urlsms.php", "https://h", "https://h/sms/user/urlsms.php"),
    ],
)
def test_the_documented_path_is_added_to_an_address_that_has_none(base_url, origin, url):
    adapter = gateway(base_url=base_url)
    assert (adapter.name, adapter.batch_limit, adapter.origin) == ("xtend-sms", 1, origin)
    assert adapter.write(ONE).url == url


def test_more_than_one_message_is_never_written_as_one():
    two = Outgoing(reference="r", sender="", options={}, messages=ONE.messages * 2)
    with pytest.raises(ValueError, match="too many values") as caught:
        gateway().write(two)
    assert "90000" not in str(caught.value)


def test_neither_password_number_nor_text_shows_outside_the_body():
    adapter = gateway()
    call = adapter.write(ONE)
    shown = "".join([repr(adapter), repr(call), call.url, str(dict(call.headers))])
    assert not any(text in shown for text in (*SECRETS, "90000", "Hello"))


def test_the_registry_needs_the_password_alone():
    account = XtendSmsAccount.from_table("main", TABLE)
    built = registry.build(account, Credentials(password="other"))
    assert b"&pass=other&" in built.write(ONE).content


# Answers that are recognised


@pytest.mark.parametrize("body", ["20261122-4587", "  60523456\n", "5f3e.88c1"])
def test_a_bare_id_is_accepted(body):
    assert gateway().read(answer(200, body), ONE) == accepted(body.strip())


@pytest.mark.parametrize("status", [200, 201, 202])
def test_any_success_may_carry_the_id(status):
    assert gateway().read(answer(status, "60523456"), ONE) == accepted("60523456")


@pytest.mark.parametrize(
    ("body", "disposition"),
    [
        ("Error Code: 954", rejected("954", "Invalid Number")),
        ("ERR:20a", rejected("20a", "Bearer Service Not Supported")),
        ('{"status": "fail", "error_code": "952"}', rejected("952", "DND Rejected")),
        ("error=88", rejected("88", "Network fluctuation from far End Operator(Temporary Error)")),
        ("error 217", rejected("217", "UNKNOWN or Internal IPC Router Failure")),
        ("error: 1234", AllRejected(code="1234", reason=UNKNOWN)),
        ("Error: 90000 00001", Isolate(code="", reason="Xtend refused the call (200); Xtend says: Error: [number]")),
        (
            "error code 955",
            HoldAccount(
                code="955",
                reason="Xtend says: Insufficient sms Balance (200/955): recharge it at Xtend",
                may_pass=True,
            ),
        ),
        (
            "error code 953",
            PauseCampaign(
                code="953",
                reason="Xtend says: Invalid Senderid (200/953): "
                "check sender, DLT ids, template and hours of the campaign, then resume it",
            ),
        ),
        ("error 429", Isolate(code="429", reason="Xtend says: EC_TEMPLATE_NOT_MATCHED (200/429)")),
        (
            "error 83",
            Throttled(
                code="83",
                reason="Xtend is asked too fast (200/83); Local throttling by sink or No response from the peer",
            ),
        ),
        ("error 703", Lost(code="703", reason="Submit_SM_Timeout (200/703); Xtend says: error #")),
        ("error 0", Lost(code="0", reason="Successfully Delivered (200/0); Xtend says: error #")),
        ("ERR-954", rejected("954", "Invalid Number")),
        ("error - 954", rejected("954", "Invalid Number")),
        ("error -5", Isolate(code="", reason="Xtend refused the call (200); Xtend says: error #")),
        ("Error", Isolate(code="", reason="Xtend refused the call (200); Xtend says: Error")),
        (
            "Invalid username or password",
            Isolate(code="", reason="Xtend refused the call (200); Xtend says: Invalid username or password"),
        ),
    ],
)  # fmt: skip
def test_an_answer_is_judged_by_what_it_shows(body, disposition):
    assert gateway().read(answer(200, body), ONE) == disposition


@pytest.mark.parametrize("status", [200, 400])
@pytest.mark.parametrize(
    ("words", "code"),
    [("Insufficient sms Balance", "955"), ("ERROR: insufficient balance.", "501"), ("Invalid Senderid", "953")],
)
def test_words_that_the_document_has_for_a_code_are_judged_as_that_code(status, words, code):
    assert gateway().read(answer(status, words), ONE) == gateway().read(answer(status, f"Error Code: {code}"), ONE)


BY_CLASS = {
    CodeClass.RECIPIENT: PerMessage,
    CodeClass.TEMPORARY: PerMessage,
    CodeClass.ACCOUNT: HoldAccount,
    CodeClass.CAMPAIGN: PauseCampaign,
    CodeClass.THROTTLE: Throttled,
    CodeClass.MESSAGE: Isolate,
    CodeClass.UNCLEAR: Lost,
}


def test_every_code_of_the_table_becomes_what_its_class_says():
    adapter = gateway()
    for code, meaning in meanings().items():
        read = adapter.read(answer(200, f"Error Code: {code}"), ONE)
        assert type(read) is BY_CLASS[meaning.code_class]
        if isinstance(read, PerMessage):
            assert read == rejected(code, meaning.text)
        else:
            assert read.code == code
            assert meaning.text in read.reason


@pytest.mark.parametrize(
    "body",
    [
        "", "OK", "Success", "953", "<html><body>error 502</body></html>", "<!DOCTYPE html>\nError 954",
        "1 message sent, 0 failed", "919000000001", "+919000000001", "09000000001", "id 60523456", "\x00\xff" * 50,
        b"\xff\xfe\x00", "id" * 40_000, "[" * 100_000,
    ],
)  # fmt: skip
def test_what_matches_no_pattern_is_lost(body):
    assert isinstance(gateway().read(answer(200, body), ONE), Lost)


def test_a_lost_answer_shows_its_form_so_that_a_pattern_can_be_written_for_it():
    read = gateway().read(answer(200, f"Sent to {FIRST} by {PASSWORD}: Hello World one, ref 88-ab12"), ONE)
    assert read == Lost(
        reason="Xtend's answer matches none of the account's patterns (200); "
        "Xtend says: Sent to [number] by [secret]: [body], ref #"
    )


def test_the_accounts_own_patterns_go_before_ours():
    adapter = gateway(
        answer_id=r"ref=(?:X([0-9]+)|Y([a-z]+))",
        answer_error=r"nack/([0-9A-F]+)",
        answer_text=r"sorry, (.+)",
    )
    assert adapter.read(answer(200, "ref=X12"), ONE) == accepted("12")
    assert adapter.read(answer(200, "ref=Yab"), ONE) == accepted("ab")
    assert adapter.read(answer(200, "nack/954 ref=X12"), ONE) == rejected("954", "Invalid Number")
    assert adapter.read(answer(200, "nack/0 ref=X12"), ONE) == accepted("12", code="0")
    assert adapter.read(answer(200, "sorry, no"), ONE) == Isolate(
        code="", reason="Xtend refused the call (200); Xtend says: no"
    )
    assert isinstance(adapter.read(answer(200, "60523456"), ONE), Lost)


@pytest.mark.parametrize("said", ["9190000000017", "a b", "é", "c" * 129, ""])
def test_what_a_pattern_finds_is_no_id_unless_it_looks_like_one(said):
    adapter = gateway(answer_id=r"ref=(.*)\.")
    read = adapter.read(answer(200, f"ref={said}."), outgoing(to=9190000000017))
    assert isinstance(read, Lost)


@pytest.mark.parametrize("said", ["9190000000017", "a b", "x" * 41])
def test_what_a_pattern_finds_is_no_code_unless_it_looks_like_one(said):
    adapter = gateway(answer_error=r"nack=(.*);")
    assert adapter.read(answer(200, f"nack={said};"), ONE).code == ""


# The HTTP status goes first


@pytest.mark.parametrize(
    ("status", "body", "code", "disposition"),
    [
        (301, "60523456", "", HOLD), (302, "error 954", "954", HOLD), (400, "", "", Isolate),
        (400, "60523456", "", Isolate), (400, "error 954", "954", PerMessage), (400, "error 955", "955", HOLD),
        (400, "error 953", "953", PAUSE), (400, "error 83", "83", Throttled), (400, "error 429", "429", Isolate),
        (400, "error 0", "0", Isolate), (400, "error 1234", "1234", Isolate), (401, "", "", HOLD),
        (401, "error 954", "954", HOLD), (402, "", "", HOLD), (403, "error 83", "83", HOLD), (404, "", "", HOLD),
        (405, "", "", HOLD), (408, "error 954", "954", Lost), (409, "", "", Lost), (413, "", "", Isolate),
        (429, "error 954", "954", Throttled), (500, "error 954", "954", Lost), (502, "<html>", "", Lost),
        (503, "", "", Throttled), (504, "60523456", "", Lost), (204, "", "", Lost), (100, "", "", Lost),
        (600, "", "", Lost),
    ],
)  # fmt: skip
def test_status_and_code_decide(status, body, code, disposition):
    read = gateway().read(answer(status, body), ONE)
    assert type(read) is disposition
    said = read.outcomes[0].code if isinstance(read, PerMessage) else read.code
    assert said == code


@pytest.mark.parametrize(
    ("policy", "status", "headers", "disposition"),
    [
        ("any", 503, {}, Throttled), ("documented", 503, {}, Lost),
        ("documented", 503, {"retry_after": "9"}, Throttled),
        ("documented", 503, {"retry_after": " "}, Lost), ("documented", 429, {}, Throttled),
    ],
)  # fmt: skip
def test_documented_takes_a_bare_503_for_lost(policy, status, headers, disposition):
    assert type(gateway(retry_503=policy).read(answer(status, **headers), ONE)) is disposition


@pytest.mark.parametrize(("status", "body"), [(429, ""), (503, "busy"), (200, "error 997")])
def test_a_throttled_call_carries_the_pause_that_the_gateway_asks_for(status, body):
    assert gateway().read(answer(status, body, retry_after="30"), ONE).retry_after_s == 30.0


def test_a_refusal_says_what_to_do():
    assert gateway().read(answer(401, "Access denied"), ONE) == HoldAccount(
        code="",
        reason="the gateway refused the credentials (401): check those of the account, then open the account; "
        "Xtend says: Access denied",
    )


# Whatever the gateway says

SAID = st.sampled_from([
    PASSWORD, SECRETS[1], str(FIRST), "+919000000001", "0 90000 00001", "Hello World one", "error 954", "error: ",
    "Invalid ", "955", "60523456", "id ", " ", "\n", "<html>",
])  # fmt: skip


@given(
    status=st.sampled_from([200, 201, 301, 400, 401, 403, 429, 500, 503]),
    said=st.lists(SAID | st.text(), max_size=6),
)
def test_no_answer_makes_a_reason_show_a_credential_a_number_or_a_text(status, said):
    read = gateway().read(answer(status, "".join(said).encode("utf-8", "replace")), ONE)
    shown = repr(read)
    if not (isinstance(read, PerMessage) and isinstance(read.outcomes[0], Accepted)):
        assert not any(text in shown for text in (*SECRETS, "90000", "Hello World one"))


@given(status=st.integers(min_value=0, max_value=1000), body=st.binary(), retry=st.text())
def test_no_bytes_and_no_header_make_reading_raise(status, body, retry):
    for policy in ("any", "documented"):
        read = gateway(retry_503=policy).read(answer(status, body, retry_after=retry), ONE)
        repr(read).encode()


@given(body=st.recursive(st.none() | st.integers() | st.text(), lambda inner: st.dictionaries(st.text(), inner)))
def test_no_json_makes_reading_raise(body):
    gateway().read(answer(200, json.dumps(body)), ONE)


def test_a_long_answer_is_judged_by_its_beginning():
    assert gateway().read(answer(200, "error 954" + " " * 1_000_000), ONE) == rejected("954", "Invalid Number")
