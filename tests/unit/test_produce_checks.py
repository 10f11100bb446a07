"""Before anything is queued: whether the accounts of a campaign send what it has, and what judges its texts."""

import pytest

from config.errors import ConfigError
from config.settings import Settings
from tasks.produce import check_accounts, check_kind, text_check
from worker.intake.batches import check_body
from worker.intake.campaign import Campaign

BODY = Campaign(name="offer", accounts=("main",), body="Hi")
CONTENT = Campaign(name="offer", accounts=("main",), content={"type": "text", "text": {"body": "Hi"}})
ACCOUNTS = """
[accounts.main]
gateway = "exotel-sms"
sid = "acme1"
api_key = "env:KEY"
api_token = "env:TOKEN"
"""


@pytest.fixture
def settings(tmp_path):
    path = tmp_path / "accounts.toml"
    path.write_text(ACCOUNTS)
    return Settings(accounts_file=path)


def test_a_campaign_goes_with_a_gateway_that_sends_what_it_has(settings):
    check_accounts(BODY, settings)
    check_kind(BODY, "main", "exotel-sms")
    check_kind(CONTENT, "main", "exotel-whatsapp")
    check_kind(CONTENT, "main", "xtend-whatsapp")


def test_a_content_at_an_account_for_sms_is_refused(settings):
    with pytest.raises(ConfigError) as caught:
        check_accounts(CONTENT, settings)
    assert str(caught.value) == (
        "campaign offer has [content], and account main sends a body: its gateway is exotel-sms"
    )


@pytest.mark.parametrize("gateway", ["exotel-whatsapp", "xtend-whatsapp"])
def test_a_body_at_an_account_for_whatsapp_is_refused(gateway):
    with pytest.raises(ConfigError) as caught:
        check_kind(BODY, "main", gateway)
    assert str(caught.value) == (
        f"campaign offer has a body, and account main sends [content]: its gateway is {gateway}"
    )


def test_a_body_is_judged_by_its_length_and_a_content_by_its_limits(settings, tmp_path):
    assert text_check(BODY, settings) is check_body
    check = text_check(CONTENT, Settings(accounts_file=tmp_path / "none.toml"))
    assert check('{"type": "text", "text": {}}') == "text.body is missing"
    assert text_check(CONTENT, settings)('{"type": "text", "text": {"body": "Hi"}}') == ""


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("x", ""),
        ("é" * 2000, ""),
        ("", "empty body"),
        (" \n", "empty body"),
        ("é" * 2001, "body has 2,001 characters, the gateway takes 2,000"),
    ],
)
def test_a_body_has_1_to_2000_characters(text, why):
    assert check_body(text) == why
