"""Which gateway sends what, what judges it, and what it needs of a sender."""

import pytest
from pydantic import TypeAdapter

from config.account_models import Account
from worker.gateways.checks import content_check, reader_of, sender_problem, takes_content
from worker.gateways.whatsapp_content import check_content


@pytest.mark.parametrize("gateway", ["exotel-whatsapp", "xtend-whatsapp"])
def test_a_whatsapp_gateway_sends_content_objects(gateway):
    assert takes_content(gateway)
    assert content_check(gateway)('{"type": "text"}') == "text is missing"


def test_at_xtend_a_preview_is_asked_for_beside_the_text_too_and_at_exotel_inside_it_only():
    sample = '{"preview_url": false, "recipient_type": "individual", "type": "text", "text": {"body": "Sample-text"}}'
    inside = '{"type": "text", "text": {"body": "Sample-text", "preview_url": true}}'
    wrong = '{"preview_url": "no", "type": "text", "text": {"body": "Sample-text"}}'
    image = '{"preview_url": true, "type": "image", "image": {"link": "https://example.com/a.png"}}'
    at_xtend, at_exotel = content_check("xtend-whatsapp"), content_check("exotel-whatsapp")
    assert [at_xtend(sample), at_xtend(inside), at_exotel(inside)] == ["", "", ""]
    assert at_xtend(wrong) == "preview_url should be true or false"
    assert at_xtend(image) == at_exotel(sample) == "preview_url is not known"


@pytest.mark.parametrize("gateway", ["exotel-sms", "xtend-sms", "skycore-sms"])
def test_an_sms_gateway_sends_bodies(gateway):
    assert not takes_content(gateway)


def test_without_a_gateway_the_limits_of_all_hold():
    assert content_check("") is check_content


KEYS = {
    "exotel-sms": {"sid": "acme1", "api_key": "env:K", "api_token": "env:T"},
    "exotel-whatsapp": {"sid": "acme1", "api_key": "env:K", "api_token": "env:T"},
    "xtend-sms": {"username": "acme1", "password": "env:P", "dlt_header_id": "1105000000000000001"},
    "xtend-whatsapp": {"phone_number_id": "100000000000001", "api_key": "env:K"},
    "skycore-sms": {"base_url": "https://sms.example.com/api/v2", "api_key": "env:K"},
}
SENDERS = [
    ("exotel-sms", {}, "", ""),
    ("exotel-sms", {}, "A sender of any length", ""),
    ("exotel-whatsapp", {}, "+919000099999", ""),
    ("exotel-whatsapp", {}, "", "is missing: every message names the number that sends it"),
    ("xtend-sms", {}, "XTENDO", ""),
    ("xtend-sms", {}, "", "is missing: every call names its sender"),
    ("xtend-whatsapp", {}, "", ""),
    ("skycore-sms", {}, "50000", ""),
    ("skycore-sms", {"sender_number": "00000"}, "", ""),
    ("skycore-sms", {"sender_number": "00000"}, "Mifflin", ""),
    ("skycore-sms", {}, "", "is missing: Skycore needs a number as well, as sender_number of the account"),
    ("skycore-sms", {}, "Mifflin", "is a name: Skycore needs a number as well, as sender_number of the account"),
    (
        "skycore-sms",
        {"sender_number": "00000"},
        "Dunder Mifflin",
        "is 14 characters long: a sender's name has at most 11 at Skycore, which cuts it off",
    ),
]


@pytest.mark.parametrize(("gateway", "more", "sender", "problem"), SENDERS)
def test_each_gateway_says_what_it_needs_of_a_sender(gateway, more, sender, problem):
    table = {"name": "main", "gateway": gateway} | KEYS[gateway] | more
    assert sender_problem(TypeAdapter(Account).validate_python(table), sender) == problem


def test_every_table_of_a_campaign_file_has_one_gateway_that_reads_it():
    assert {table: reader_of(table) for table in ("exotel", "skycore")} == {
        "exotel": "exotel-sms",
        "skycore": "skycore-sms",
    }
