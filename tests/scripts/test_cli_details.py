"""`bulksend details` against a real server: what it prints, and the one sentence where it can not."""

import json

import pytest

SID = "0f477d60517e6e6a0f6d9a7e9af8630e"
DELIVERED = {
    "Status": "sent",
    "DetailedStatusCode": "20005",
    "DetailedStatus": "DELIVERED_TO_HANDSET",
    "DateSent": "2017-03-03 14:14:20",
    "SmsUnits": 2,
    "Price": "0.36",
}
ACCOUNT = """
    [accounts.main]
    gateway = "exotel-sms"
    base_url = "{url}"
    sid = "acme1"
    api_key = "k3yk3yk3y"
    api_token = "t0kent0ken"
    timeout = 5
"""


@pytest.fixture
def asked(cli, informant):
    cli.write("accounts.toml", ACCOUNT.replace("{url}", informant.url))
    return informant


def test_details_prints_what_the_gateway_knows(cli, asked):
    asked.knows(SID, DELIVERED)
    ended = cli("details", "main", SID)
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.splitlines() == [
        f"{SID}: delivered (20005 DELIVERED_TO_HANDSET)",
        "  delivered at 2017-03-03T08:44:20+00:00",
        "  2 segments",
        "  price 0.36",
    ]
    ((line, headers),) = asked.requests
    assert line == f"GET /v1/Accounts/acme1/SMS/Messages/{SID}.json HTTP/1.1"
    assert headers["Authorization"].startswith("Basic ")


@pytest.mark.parametrize(
    ("fields", "document"),
    [
        (
            DELIVERED,
            {"delivery": "delivered", "code": "20005", "text": "DELIVERED_TO_HANDSET", "segments": 2, "price": "0.36",
             "delivered_at": "2017-03-03T08:44:20+00:00"},
        ),
        (
            {"Status": "failed_dnd", "DateSent": "1970-01-01 05:30:00"},
            {"delivery": "undelivered", "code": None, "text": None, "segments": None, "price": None,
             "delivered_at": None},
        ),
        (
            {"Status": "submitted", "DetailedStatusCode": 21020, "SmsUnits": 1},
            {"delivery": "awaiting", "code": "21020", "text": "submitted", "segments": 1, "price": None,
             "delivered_at": None},
        ),
    ],
)  # fmt: skip
def test_json_is_one_document(cli, asked, fields, document):
    asked.knows(SID, fields)
    ended = cli("details", "main", SID, "--json")
    assert (ended.code, ended.err) == (0, "")
    assert ended.json == {"sid": SID, **document}


REMEDY = "the credentials (401/34010): check api_key and api_token of the account"
ELSEWHERE = "elsewhere (301): check base_url and region of the account"


def exception(status, code, words):
    return json.dumps({"RestException": {"Status": status, "Code": code, "Message": words}}).encode()


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        ((200, {}, b"No matching results"), f"the gateway knows no message {SID} of this account"),
        (
            (429, {"Retry-After": "7"}, exception(429, 40403, "Too many GET requests.")),
            "ask again in 7 s: too many calls (429/40403); Exotel says: Too many GET requests.",
        ),
        (
            (401, {}, exception(401, 34010, "Unauthorized k3yk3yk3y;")),
            f"Exotel refused {REMEDY}; Exotel says: Unauthorized [secret];",
        ),
        ((502, {}, b"<html>"), "Exotel failed (502)"),
        ((301, {"Location": "http://127.0.0.1:9/"}, b""), f"Exotel sends the call {ELSEWHERE}"),
        ((0, {}, b""), "127.0.0.1 broke off or gave an answer that is not HTTP"),
        ((200, {}, b" " * (2 << 20)), "the answer of 127.0.0.1 is larger than 1048576 bytes"),
    ],
)  # fmt: skip
def test_what_goes_wrong_is_one_sentence_and_status_1(cli, asked, answer, sentence):
    asked.knows(SID, answer)
    ended = cli("details", "main", SID)
    assert (ended.code, ended.out, ended.err) == (1, "", f"{sentence}\n")


def test_a_gateway_that_is_not_there_is_one_sentence(cli):
    cli.write("accounts.toml", ACCOUNT.replace("{url}", "http://127.0.0.1:9"))
    ended = cli("details", "main", SID, "--json")
    assert (ended.code, ended.err) == (1, "no connection to 127.0.0.1\n")
    assert ended.json == {"error": "no connection to 127.0.0.1"}


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["mian", SID], "accounts.toml: there is no account mian; did you mean main?"),
        (["main", "a/b"], "SID 'a/b': an id has 1 to 128 letters, digits and _ . : -"),
        (["main", ""], "SID '': an id has 1 to 128 letters, digits and _ . : -"),
    ],
)
def test_a_wrong_argument_is_one_sentence_and_status_2(cli, asked, arguments, sentence):
    ended = cli("details", *arguments)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.replace('"', "") == f"{sentence}\n"
    assert asked.asked == []


def test_another_gateway_is_one_sentence_and_status_2(cli):
    cli.write(
        "accounts.toml",
        '[accounts.main]\ngateway = "skycore-sms"\napi_key = "k"\nbase_url = "http://127.0.0.1:9/v2"\n',
    )
    ended = cli("details", "main", SID)
    assert ended.code == 2
    assert "skycore-sms" in ended.err
    assert len(ended.err.splitlines()) == 1
