from pathlib import Path

import pytest

from config.accounts import ExotelSmsAccount, load_accounts
from config.errors import ConfigError
from config.rate import Rate

ROOT = Path(__file__).parents[2]
MAIN = """
[accounts.main]
gateway = "exotel-sms"
sid = "acme1"
api_key = "hunter2-key"
api_token = "env:EXOTEL_API_TOKEN"
"""


@pytest.fixture
def load(tmp_path):
    """Load an accounts file with the given text."""

    def load(text):
        path = tmp_path / "accounts.toml"
        path.write_text(text, encoding="utf-8")
        return load_accounts(path)

    return load


@pytest.fixture
def complaint(load, tmp_path):
    """Give the sentence with which a text is refused, without the file's name that it begins with."""

    def complaint(text):
        with pytest.raises(ConfigError) as caught:
            load(text)
        sentence = str(caught.value)
        assert "\n" not in sentence
        assert "hunter2" not in sentence
        assert sentence.startswith(str(tmp_path / "accounts.toml"))
        return sentence.removeprefix(str(tmp_path / "accounts.toml"))

    return complaint


def test_the_example_is_what_the_contract_says():
    account = load_accounts(ROOT / "config" / "accounts.example.toml")["main"]
    assert account.name == "main"
    assert account.sid == "acme1"
    assert account.requests == Rate.parse("50/minute")
    assert account.host_url == "https://api.in.exotel.com"
    environ = {"EXOTEL_API_KEY": "made-up key", "EXOTEL_API_TOKEN": "made-up token"}
    credentials = account.credentials(environ)
    assert (credentials.api_key, credentials.api_token) == ("made-up key", "made-up token")


def test_a_short_table_gets_the_defaults(load):
    account = load(MAIN)["main"]
    assert account.requests.text == "50/minute"
    assert account.messages is None
    assert (account.concurrency, account.timeout) == (8, 30.0)
    assert account.status_callbacks is True
    assert account.retry_503 == "any"


@pytest.mark.parametrize(
    ("keys", "host_url"),
    [
        ("", "https://api.in.exotel.com"),
        ('region = "mumbai"', "https://api.in.exotel.com"),
        ('region = "singapore"', "https://api.exotel.com"),
        ('region = "singapore"\nbase_url = "http://127.0.0.1:9901/"', "http://127.0.0.1:9901"),
    ],
)
def test_the_host_is_the_regions_unless_an_address_is_given(load, keys, host_url):
    assert load(MAIN + keys)["main"].host_url == host_url


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", ": there is no account: each is a table [accounts.NAME]"),
        ("accounts = 3", ": there is no account: each is a table [accounts.NAME]"),
        ("accounts.main = 3", ": accounts.main should be a table [accounts.main]"),
        ("[account.main]", ": account is not a known key: accounts stand in tables [accounts.NAME]"),
        ("[accounts.Main]", ": accounts.'Main': a name has only a-z 0-9 - _ . and at most 64 characters"),
        (f"[accounts.{65 * 'a'}]", f": accounts.'{65 * 'a'}': a name has only a-z 0-9 - _ . and at most 64 characters"),
        (MAIN + 'api_secret = "hunter2"', ": accounts.main.api_secret is not a known key"),
        (MAIN + 'name = "x"', ": accounts.main.name is not a known key: the table's own name is the account's"),
        (MAIN.replace('gateway = "exotel-sms"', ""), ": accounts.main.gateway is missing"),
        (MAIN.replace("exotel-sms", "pigeon"), ": accounts.main.gateway should be 'exotel-sms'"),
        (MAIN.replace('"acme1"', '"../acme"'), ": accounts.main.sid should match pattern"),
        (MAIN.replace('"hunter2-key"', '""'), ": accounts.main.api_key is empty"),
        (MAIN.replace('"hunter2-key"', "12"), ": accounts.main.api_key should be a valid string"),
        (MAIN.replace('"hunter2-key"', '["hunter2"]'), ": accounts.main.api_key should be a valid string"),
        (MAIN.replace("hunter2-key", "env:hunter2 key"), ': accounts.main.api_key should be "env:NAME"'),
        (MAIN + 'region = "delhi"', ": accounts.main.region should be 'mumbai' or 'singapore'"),
        (MAIN + 'base_url = "http://a:hunter2@h"', ": accounts.main.base_url should be http://HOST:PORT"),
        (MAIN + 'base_url = "http://[hunter2"', ": accounts.main.base_url should be http://HOST:PORT"),
        (MAIN + 'base_url = "127.0.0.1"', ": accounts.main.base_url should be http://HOST:PORT"),
        (MAIN + "requests = 50", ': accounts.main.requests should be "N/second", "N/minute" or "N/hour"'),
        (MAIN + 'messages = "0/second"', ': accounts.main.messages should be "N/second", "N/minute" or "N/hour"'),
        (MAIN + "concurrency = 0", ": accounts.main.concurrency should be greater than or equal to 1"),
        (MAIN + 'concurrency = "8"', ": accounts.main.concurrency should be a valid integer"),
        (MAIN + "timeout = nan", ": accounts.main.timeout should be"),
        (MAIN + "timeout = 0", ": accounts.main.timeout should be greater than 0"),
        (MAIN + 'retry_503 = "never"', ": accounts.main.retry_503 should be 'any' or 'documented'"),
        ('[accounts.main]\nsid = "hunter2', ", line 2: "),
        ("[accounts.main]\nsid = hunter2\n", ", line 2, column 7: invalid value"),
        (MAIN + MAIN, ", line 8, column 15: cannot declare ('accounts', 'main') twice"),
    ],
)
def test_a_mistake_is_one_sentence_with_its_place(complaint, text, sentence):
    assert complaint(text).startswith(sentence)


@pytest.mark.parametrize("gateway", ["exotel-whatsapp", "xtend-sms", "xtend-whatsapp", "skycore-sms"])
def test_a_gateway_of_the_contract_that_is_not_here_yet_is_refused_as_such(complaint, gateway):
    sentence = f": accounts.main.gateway: {gateway} is not yet supported, only exotel-sms is"
    assert complaint(MAIN.replace("exotel-sms", gateway)) == sentence


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("", ""),
        ("", 'region = "mumbai"'),
        ('region = "singapore"', 'base_url = "https://API.exotel.com./"'),
        ('base_url = "http://h:80"', 'base_url = "https://h"'),
    ],
)
def test_two_accounts_that_the_gateway_counts_as_one_are_refused(complaint, one, other):
    twin = MAIN.replace("accounts.main", "accounts.twin").replace("acme1", "ACME1")
    assert complaint(f"{MAIN}{one}\n{twin}{other}") == (
        ": accounts.main and accounts.twin have the same gateway, host and sid: they would double the limit"
    )


@pytest.mark.parametrize("key", ['sid = "acme2"', 'region = "singapore"', 'base_url = "http://127.0.0.1:9902"'])
def test_accounts_that_differ_in_sid_or_host_live_side_by_side(load, key):
    table = MAIN.replace("accounts.main", "accounts.b")
    table = table.replace('sid = "acme1"', key if key.startswith("sid") else f'sid = "acme1"\n{key}')
    assert list(load(MAIN + table)) == ["main", "b"]


def test_a_missing_file_says_what_to_do(tmp_path):
    with pytest.raises(ConfigError, match=r"does not exist: copy config/accounts\.example\.toml"):
        load_accounts(tmp_path / "accounts.toml")


@pytest.mark.parametrize("kind", ["directory", "latin"])
def test_an_unreadable_file_is_one_sentence(tmp_path, kind):
    path = tmp_path / "accounts.toml"
    if kind == "directory":
        path.mkdir()
    else:
        path.write_bytes(b'sid = "\xff"')
    with pytest.raises(ConfigError, match=r"can not be read: Is a directory$|is not UTF-8$"):
        load_accounts(path)


@pytest.mark.parametrize("environ", [{}, {"EXOTEL_API_TOKEN": ""}, {"EXOTEL_API_TOKEN": " \n"}])
def test_an_unset_credential_is_told_with_account_field_and_variable(load, environ):
    account = load(MAIN)["main"]
    with pytest.raises(ConfigError) as caught:
        account.credentials(environ)
    assert str(caught.value) == "account main: api_token needs the environment variable EXOTEL_API_TOKEN"


@pytest.mark.parametrize(
    ("text", "environ", "where"),
    [
        (
            MAIN,
            {"EXOTEL_API_TOKEN": "your-api-token"},
            "api_token is not filled in: the environment variable EXOTEL_API_TOKEN",
        ),
        (MAIN.replace("hunter2-key", "<key>"), {"EXOTEL_API_TOKEN": "hunter2"}, "api_key is not filled in: it"),
    ],
)
def test_a_placeholder_is_no_credential_and_needs_none_to_be_loaded(load, text, environ, where):
    account = load(text)["main"]
    with pytest.raises(ConfigError) as caught:
        account.credentials(environ)
    assert str(caught.value) == f"account main: {where} is a placeholder"


def test_loading_needs_no_credential_and_shows_none(load):
    account = load(MAIN)["main"]
    credentials = account.credentials({"EXOTEL_API_TOKEN": "hunter2-token\n"})
    assert credentials.api_token == "hunter2-token"
    for text in (repr(account), str(account), account.model_dump_json(), repr(credentials)):
        assert "hunter2" not in text


def test_a_model_built_by_hand_hides_its_secrets_in_errors_too():
    with pytest.raises(ValueError, match="sid") as caught:
        ExotelSmsAccount(name="main", gateway="exotel-sms", api_key="hunter2", api_token="hunter2")
    assert "hunter2" not in str(caught.value)
