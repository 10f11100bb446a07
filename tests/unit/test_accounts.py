import re
from pathlib import Path

import pytest

from config.account_models import (
    ExotelSmsAccount,
    ExotelWhatsAppAccount,
    SkycoreSmsAccount,
    XtendSmsAccount,
    XtendWhatsAppAccount,
)
from config.accounts import load_accounts
from config.credentials import Credentials
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
WHATSAPP = MAIN.replace("exotel-sms", "exotel-whatsapp")
XTEND = """
[accounts.main]
gateway = "xtend-sms"
username = "acme1"
password = "hunter2-pass"
dlt_header_id = "1105000000000000001"
"""
XTEND_WHATSAPP = """
[accounts.main]
gateway = "xtend-whatsapp"
phone_number_id = "100000000000001"
api_key = "hunter2-key"
"""
SKYCORE = """
[accounts.main]
gateway = "skycore-sms"
base_url = "https://sms.example.com/api/v2/"
api_key = "hunter2-key"
"""
TABLES = [
    (MAIN, ExotelSmsAccount, ["api_key", "api_token"]),
    (WHATSAPP, ExotelWhatsAppAccount, ["api_key", "api_token"]),
    (XTEND, XtendSmsAccount, ["password"]),
    (XTEND_WHATSAPP, XtendWhatsAppAccount, ["api_key"]),
    (SKYCORE, SkycoreSmsAccount, ["api_key"]),
]


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
    assert (credentials["api_key"], credentials["api_token"]) == ("made-up key", "made-up token")


@pytest.fixture
def example():
    """The text of the example, with what is commented out in it."""
    text = (ROOT / "config" / "accounts.example.toml").read_text(encoding="utf-8")
    return re.sub(r"^# (?=\[|[a-z0-9_]+ = )", "", text, flags=re.MULTILINE)


def test_the_example_shows_every_gateway(load, example):
    accounts = load(example)
    assert [type(account) for account in accounts.values()] == [model for _, model, _ in TABLES]
    assert accounts["main"].price_per_segment == 0.18


def test_what_the_example_calls_the_default_changes_nothing(load, example):
    called = re.compile(r"^([a-z0-9_]+) = .*# the default.*\n", re.MULTILINE)
    assert called.findall(example) == ["base_url", "answer_error", "answer_text", "answer_id", "base_url"]
    shown, short = load(example), load(called.sub("", example))
    assert [each.model_dump() for each in shown.values()] == [each.model_dump() for each in short.values()]


def test_a_short_table_gets_the_defaults(load):
    account = load(MAIN)["main"]
    assert account.requests.text == "50/minute"
    assert account.messages is None
    assert (account.concurrency, account.timeout) == (8, 30.0)
    assert account.status_callbacks is True
    assert account.retry_503 == "any"
    assert (account.probe_every, account.price_per_segment) == (600.0, None)


@pytest.mark.parametrize(("table", "model", "secrets"), TABLES)
def test_each_gateway_has_its_own_keys_and_what_all_have(load, table, model, secrets):
    shared = """
        requests = "7/second"
        messages = "9/hour"
        concurrency = 3
        timeout = 5
        status_callbacks = false
        probe_every = 10
        price_per_segment = 0
    """
    account = load(table + shared)["main"]
    assert type(account) is model
    assert (account.requests.text, account.messages.text, account.concurrency) == ("7/second", "9/hour", 3)
    assert (account.timeout, account.status_callbacks, account.probe_every) == (5.0, False, 10.0)
    assert account.price_per_segment == 0.0
    assert list(account.credentials({"EXOTEL_API_TOKEN": "hunter2"})) == secrets


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
    assert load(WHATSAPP + keys)["main"].host_url == host_url


@pytest.mark.parametrize(
    ("table", "host_url"),
    [
        (XTEND, "http://smsapi.xtendonline.com"),
        (XTEND + 'base_url = "http://127.0.0.1:9901/"', "http://127.0.0.1:9901"),
        (XTEND + 'base_url = "https://h/sms/user/urlsms.php"', "https://h/sms/user/urlsms.php"),
        (XTEND_WHATSAPP, "https://waba.xtendonline.com"),
        (XTEND_WHATSAPP + 'base_url = "http://127.0.0.1:9901/"', "http://127.0.0.1:9901"),
        (SKYCORE, "https://sms.example.com"),
    ],
)
def test_the_other_gateways_have_an_address_of_their_own(load, table, host_url):
    assert load(table)["main"].host_url == host_url


@pytest.mark.parametrize("table", [MAIN, WHATSAPP, XTEND, SKYCORE])
def test_a_bare_503_is_throttled_unless_the_account_says_otherwise(load, table):
    assert load(table)["main"].retry_503 == "any"
    assert load(table + 'retry_503 = "documented"')["main"].retry_503 == "documented"


def test_skycores_address_is_taken_to_the_letter(load):
    assert load(SKYCORE)["main"].base_url == "https://sms.example.com/api/v2/"


@pytest.mark.parametrize(
    ("text", "groups"),
    [
        ("  4587-2024_11\n".replace("_", "."), {"id": "4587-2024.11"}),
        ("20261122100000123456", {"id": "20261122100000123456"}),
        ("Error Code: 953", {"error": "953", "text": "Error Code: 953"}),
        ("ERR:20A invalid", {"error": "20A"}),
        ('{"error_code": "955"}', {"error": "955"}),
        ("error=0", {"error": "0", "text": "error=0"}),
        ("Invalid username or password\n", {"text": "Invalid username or password"}),
        ("Insufficient balance", {"text": "Insufficient balance"}),
        ("953", {}),
        ("error: 90000 00001", {"text": "error: 90000 00001"}),
        ("Success", {}),
        ("1 message sent, 0 failed", {}),
        ("", {}),
    ],
)
def test_the_patterns_for_xtends_answer_take_nothing_that_is_open_to_doubt(load, text, groups):
    account = load(XTEND)["main"]
    patterns = {"id": account.answer_id, "error": account.answer_error, "text": account.answer_text}
    assert {name: found[1] for name, pattern in patterns.items() if (found := pattern.search(text))} == groups


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", ": there is no account: each is a table [accounts.NAME]"),
        ("accounts = 3", ": there is no account: each is a table [accounts.NAME]"),
        ("accounts.main = 3", ": accounts.main should be a table [accounts.main]"),
        ("[account.main]", ": account is not a known key: accounts stand in tables [accounts.NAME]"),
        ("[accounts.Main]", ": accounts.'Main': a name has only a-z 0-9 - _ . (not - first), at most 64"),
        ("[accounts.-main]", ": accounts.'-main': a name has only a-z 0-9 - _ . (not - first), at most 64"),
        (f"[accounts.{65 * 'a'}]", f": accounts.'{65 * 'a'}': a name has only a-z 0-9 - _ . (not - first), at most 64"),
        (MAIN + 'api_secret = "hunter2"', ": accounts.main.api_secret is not a known key"),
        (MAIN + 'name = "x"', ": accounts.main.name is not a known key: the table's own name is the account's"),
        (MAIN.replace('gateway = "exotel-sms"', ""), ": accounts.main.gateway is missing"),
        (MAIN.replace("exotel-sms", "pigeon"), ": accounts.main.gateway should be one of exotel-sms, exotel-wh"),
        (MAIN.replace('"acme1"', '"../acme"'), ": accounts.main.sid should be 1 to 64 of the characters"),
        (MAIN.replace('"hunter2-key"', '""'), ": accounts.main.api_key is empty"),
        (MAIN.replace('"hunter2-key"', "12"), ": accounts.main.api_key should be text in quotes"),
        (MAIN.replace('"hunter2-key"', '["hunter2"]'), ": accounts.main.api_key should be text in quotes"),
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
        (MAIN + "status_callbacks = 1", ": accounts.main.status_callbacks should be true or false"),
        (XTEND.replace("1105", "11 05"), ": accounts.main.dlt_header_id should be 1 to 64 of the characters"),
        (MAIN.replace("acme1", "acme1\\n"), ": accounts.main.sid should be 1 to 64 of the characters"),
        (MAIN + 'retry_503 = "never"', ": accounts.main.retry_503 should be 'any' or 'documented'"),
        (MAIN + "probe_every = 9", ": accounts.main.probe_every should be greater than or equal to 10"),
        (MAIN + "probe_every = 86401", ": accounts.main.probe_every should be less than or equal to 86400"),
        (MAIN + "price_per_segment = -0.1", ": accounts.main.price_per_segment should be greater than or equal to 0"),
        (MAIN + "price_per_segment = inf", ": accounts.main.price_per_segment should be a finite number"),
        (MAIN.replace('"exotel-sms"', "3"), ": accounts.main.gateway should be one of exotel-sms, exotel-whatsapp, "),
        (WHATSAPP + 'region = "delhi"', ": accounts.main.region should be 'mumbai' or 'singapore'"),
        (XTEND + 'sid = "acme1"', ": accounts.main.sid is not a known key"),
        (XTEND + 'region = "mumbai"', ": accounts.main.region is not a known key"),
        (XTEND.replace("username", "user"), ": accounts.main.username is missing; accounts.main.user is not a known"),
        (XTEND.replace("acme1", "ac me"), ": accounts.main.username should be 1 to 128 characters without a blank"),
        (XTEND.replace("hunter2-pass", " "), ": accounts.main.password is empty"),
        (XTEND.replace("dlt_header_id", "# "), ": accounts.main.dlt_header_id is missing"),
        (XTEND + 'answer_id = "hunter2"', ": accounts.main.answer_id should be a regular expression with a group"),
        (XTEND + 'answer_text = "(hunter2"', ": accounts.main.answer_text should be a regular expression with a group"),
        (XTEND + "answer_error = 3", ": accounts.main.answer_error should be a regular expression with a group"),
        (XTEND_WHATSAPP.replace("1000", "+1"), ": accounts.main.phone_number_id should be 1 to 64 of the characters"),
        (XTEND_WHATSAPP + 'retry_503 = "any"', ": accounts.main.retry_503 is not a known key"),
        (SKYCORE + 'sender_number = "ACME"', ": accounts.main.sender_number should be 3 to 15 digits"),
        (SKYCORE.replace("base_url", "# "), ": accounts.main.base_url is missing"),
        (SKYCORE.replace("v2/", "v2?key=hunter2"), ": accounts.main.base_url should be http://HOST:PORT"),
        (SKYCORE.replace("hunter2-key", "env:"), ': accounts.main.api_key should be "env:NAME"'),
        (XTEND + 'answer_id = "(a{99999999999})"', ": accounts.main.answer_id should be a regular expression with a"),
        (
            XTEND + f"answer_id = '{'(' * 3_000}a{')' * 3_000}'",
            ": accounts.main.answer_id should be a regular expression with a",
        ),
        (MAIN + f"x = {'1' * 5_000}", ": it has a number of too many digits"),
        (MAIN + f"x = {'[' * 2_000}", ": it is nested too deep"),
        ('[accounts.main]\nsid = "hunter2', ", line 2: "),
        ("[accounts.main]\nsid = hunter2\n", ", line 2, column 7: invalid value"),
        (MAIN + MAIN, ", line 8, column 15: cannot declare ('accounts', 'main') twice"),
    ],
)
def test_a_mistake_is_one_sentence_with_its_place(complaint, text, sentence):
    assert complaint(text).startswith(sentence)


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


@pytest.mark.parametrize(
    ("table", "twin", "field"),
    [
        (WHATSAPP, WHATSAPP.replace("acme1", "ACME1"), "sid"),
        (XTEND, XTEND.replace("acme1", "ACME1") + 'base_url = "https://SMSAPI.xtendonline.com/other"', "username"),
        (XTEND_WHATSAPP, XTEND_WHATSAPP.replace("hunter2-key", "hunter2-other"), "phone_number_id"),
        (SKYCORE, SKYCORE.replace("v2", "v3"), "api_key"),
        (*(2 * [SKYCORE.replace("hunter2-key", "env:SKYCORE_API_KEY")]), "api_key"),
    ],
)
def test_each_gateway_counts_accounts_by_a_field_of_its_own(complaint, table, twin, field):
    assert complaint(table + twin.replace("accounts.main", "accounts.twin")) == (
        f": accounts.main and accounts.twin have the same gateway, host and {field}: they would double the limit"
    )


@pytest.mark.parametrize(
    ("table", "other"),
    [
        (MAIN, WHATSAPP),
        (XTEND, XTEND.replace("acme1", "acme2")),
        (XTEND_WHATSAPP, XTEND_WHATSAPP.replace("0001", "0002")),
        (SKYCORE, SKYCORE.replace("hunter2-key", "hunter2-KEY")),
        (SKYCORE, SKYCORE.replace("hunter2-key", "env:SKYCORE_API_KEY")),
    ],
)
def test_accounts_that_the_gateway_tells_apart_live_side_by_side(load, table, other):
    accounts = load(table + other.replace("accounts.main", "accounts.other"))
    assert list(accounts) == ["main", "other"]
    assert "hunter2" not in repr([account.identity for account in accounts.values()])


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
    assert credentials["api_token"] == "hunter2-token"
    for text in (repr(account), str(account), account.model_dump_json(), repr(credentials)):
        assert "hunter2" not in text


@pytest.mark.parametrize(("table", "secrets"), [(table, secrets) for table, _, secrets in TABLES])
def test_no_gateways_account_shows_a_secret(load, table, secrets):
    account = load(table)["main"]
    credentials = account.credentials({"EXOTEL_API_TOKEN": "hunter2"})
    for text in (repr(account), str(account), account.model_dump_json(), repr(credentials), f"{credentials}"):
        assert "hunter2" not in text


@pytest.mark.parametrize(("table", "secrets"), [(table, secrets) for table, _, secrets in TABLES])
def test_every_secret_may_stand_in_the_environment(load, table, secrets):
    for field in secrets:
        table = re.sub(rf'{field} = ".*"', f'{field} = "env:THE_{field.upper()}"', table)
    account = load(table)["main"]
    environ = {f"THE_{field.upper()}": f"hunter2 {field}" for field in secrets}
    assert account.credentials(environ) == {field: f"hunter2 {field}" for field in secrets}
    wrong = {
        "": "needs the environment ",
        "change-me": "is not filled in: the environ",
        "\udcff": "is no text: the environ",
    }
    for value, why in wrong.items():
        for field in secrets:
            with pytest.raises(ConfigError, match=rf"^account main: {field} {why}"):
                account.credentials({**environ, f"THE_{field.upper()}": value})


@pytest.mark.parametrize(("table", "secrets"), [(t, s) for t, _, s in TABLES if t is not XTEND])
@pytest.mark.parametrize(
    ("secret", "place"),
    [("“hunter2”", "1 is U+201C"), ("hunter2\u200b", "8 is U+200B"), ("hun\nter2", "4 is U+000A")],
)
def test_a_key_that_no_header_can_carry_is_refused_before_anything_is_taken(load, table, secrets, secret, place):
    for field in secrets:
        text = re.sub(r'(api_\w+) = ".*"', r'\1 = "k"', table).replace(f'{field} = "k"', f'{field} = "env:KEY"')
        with pytest.raises(ConfigError) as caught:
            load(text)["main"].credentials({"KEY": secret})
        assert str(caught.value) == (
            f"account main: {field} can not go in a header: its character {place}, no printable ASCII"
        )


def test_a_password_that_goes_encoded_in_a_body_may_hold_any_character(load):
    account = load(XTEND.replace("hunter2-pass", "“pässwörd”"))["main"]
    assert account.credentials({}) == {"password": "“pässwörd”"}


@pytest.mark.parametrize(
    "url",
    [
        r"https://h\n", r"https://h\t", r"https://h/a\u0000", r"https://h/a b", r"https://a b", r"https://h/\u00A0",
        r"https://h/\u200B", r"https://h\u200B", "https://999.1.1.1", "https://☃.net", f"https://h/{'a' * 70_000}",
    ],
)  # fmt: skip
@pytest.mark.parametrize("table", [MAIN, XTEND_WHATSAPP, SKYCORE.replace("base_url", "# ")])
def test_a_url_to_which_no_call_can_be_made_is_refused(complaint, table, url):
    assert complaint(f'{table}base_url = "{url}"') == (
        ": accounts.main.base_url should be http://HOST:PORT or https://HOST, "
        "without credentials, a query, blanks and control characters"
    )


def test_credentials_are_compared_whole_and_can_not_be_changed():
    credentials = Credentials(api_key="hunter2", api_token="t")
    assert credentials == Credentials(api_key="hunter2", api_token="t") != Credentials(api_key="hunter2")
    assert (len(credentials), credentials.get("password")) == (2, None)
    with pytest.raises(TypeError):
        credentials["api_key"] = "other"
    with pytest.raises(KeyError, match="password") as caught:
        credentials["password"]
    assert "hunter2" not in str(caught.value)


def test_a_model_built_by_hand_hides_its_secrets_in_errors_too():
    with pytest.raises(ValueError, match="sid") as caught:
        ExotelSmsAccount(name="main", gateway="exotel-sms", api_key="hunter2", api_token="hunter2")
    assert "hunter2" not in str(caught.value)
