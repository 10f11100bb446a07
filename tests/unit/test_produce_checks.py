"""Before anything is queued: whether the accounts of a campaign send what it has, and what judges its texts."""

import pytest

from config.errors import ConfigError
from config.settings import Settings
from tasks.produce import check_accounts, check_kind, checks_for, open_recipients
from worker.intake.batches import check_body
from worker.intake.campaign import Campaign
from worker.intake.exotel_options import ExotelOptions
from worker.intake.skycore_options import SkycoreOptions

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


WHATSAPP = """
[accounts.main]
gateway = "exotel-whatsapp"
sid = "acme1"
api_key = "env:KEY"
api_token = "env:TOKEN"
"""
SKYCORE = """
[accounts.main]
gateway = "skycore-sms"
base_url = "https://sms.example.com/api/v2"
api_key = "env:KEY"
sender_number = "00000"
"""
REFUSED = {
    "a WhatsApp campaign without from": (
        WHATSAPP,
        CONTENT,
        (
            'campaign offer: "from" is missing: every message names the number that sends it'
            " (account main is at exotel-whatsapp)"
        ),
    ),
    "a name too long for Skycore": (
        SKYCORE,
        BODY.model_copy(update={"sender": "Dunder Mifflin"}),
        (
            'campaign offer: "from" is 14 characters long: '
            "a sender's name has at most 11 at Skycore, which cuts it off (account main is at skycore-sms)"
        ),
    ),
    "a table of another gateway": (
        SKYCORE,
        BODY.model_copy(update={"exotel": ExotelOptions(priority="high")}),
        "campaign offer has [exotel], which only exotel-sms reads, and account main is at skycore-sms",
    ),
    "Skycore's table at Exotel": (
        ACCOUNTS,
        BODY.model_copy(update={"skycore": SkycoreOptions()}),
        "campaign offer has [skycore], which only skycore-sms reads, and account main is at exotel-sms",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_before_anything_is_queued(settings, case):
    accounts, campaign, words = REFUSED[case]
    settings.accounts_file.write_text(accounts)
    with pytest.raises(ConfigError) as caught:
        check_accounts(campaign, settings)
    assert str(caught.value) == words


def test_a_sender_of_each_message_and_a_table_of_its_own_gateway_pass(settings):
    check_accounts(BODY.model_copy(update={"exotel": ExotelOptions(priority="high")}), settings)
    settings.accounts_file.write_text(SKYCORE)
    check_accounts(BODY.model_copy(update={"skycore": SkycoreOptions(click_tracking=True)}), settings)
    settings.accounts_file.write_text(WHATSAPP)
    check_accounts(CONTENT.model_copy(update={"sender": "{brand}"}), settings)


def test_a_body_is_judged_by_its_length_and_a_content_by_its_limits(settings, tmp_path):
    assert checks_for(BODY, settings).text is check_body
    checks = checks_for(CONTENT, Settings(accounts_file=tmp_path / "none.toml"))
    assert checks.text('{"type": "text", "text": {}}') == "text.body is missing"
    assert checks.wording('{"type": "text", "text": {}}') == "text.body is missing"
    assert checks_for(CONTENT, settings).text('{"type": "text", "text": {"body": "Hi"}}') == ""


def test_a_sender_is_held_against_every_account_that_may_send_it(settings, tmp_path):
    settings.accounts_file.write_text(SKYCORE)
    check = checks_for(BODY, settings).sender
    assert check("Dunder Mifflin") == (
        "is 14 characters long: a sender's name has at most 11 at Skycore, which cuts it off"
    )
    assert [check(sender) for sender in ("DUNDER", "919000000001234")] == ["", ""]
    other = (
        SKYCORE.replace("main", "other").replace("/v2", "/v3").replace("KEY", "OTHER").replace("sender_number", "# ")
    )
    settings.accounts_file.write_text(SKYCORE + other)
    pool = BODY.model_copy(update={"accounts": ("main", "other")})
    assert checks_for(pool, settings).sender("DUNDER") == (
        "is a name: Skycore needs a number as well, as sender_number of the account"
    )
    assert checks_for(pool, Settings(accounts_file=tmp_path / "none.toml")).sender("Dunder Mifflin") == ""


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("x", ""),
        ("é" * 2000, ""),
        ("", "empty body"),
        (" \n", "empty body"),
        ("é" * 2001, "body has 2,001 characters, at most 2,000 are sent at any gateway"),
    ],
)
def test_a_body_has_1_to_2000_characters(text, why):
    assert check_body(text) == why


def test_an_empty_name_does_not_mean_the_campaigns_own_recipients(tmp_path):
    own = tmp_path / "people.csv"
    own.write_text("to\n+919000000001\n")
    with pytest.raises(ConfigError, match="recipients are read from"):
        open_recipients(BODY.model_copy(update={"recipients": str(own)}), None, "")
