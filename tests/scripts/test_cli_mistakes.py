"""What a user can get wrong: one sentence, exit status 2, no traceback, and nothing queued."""

import gzip
import sys

import pytest

from worker.ledger.connection import connect

GOOD = 'name = "offer"\naccounts = ["main"]\nrecipients = "people.csv"\nto = "phone"\nbody = "Dear {name}!"\n'
ACCOUNT = '[accounts.main]\ngateway = "exotel-sms"\nsid = "sim"\napi_key = "k"\napi_token = "t"\n'

CAMPAIGNS = {
    "not TOML": ("name = \n", "offer.toml: not TOML"),
    "not UTF-8": (b'name = "caf\xe9"\n', "offer.toml, line 1: not UTF-8"),
    "an unknown key": (
        GOOD + 'recipient = "x"\n',
        '"recipient" is not a key of a campaign; did you mean "recipients"?',
    ),
    "no name": (GOOD.replace('name = "offer"\n', ""), '"name" is missing'),
    "a name with blanks": (GOOD.replace('"offer"', '"my offer"'), '"name" should have 1 to 60'),
    "a lone brace": (GOOD.replace("{name}", "{name"), '"body" has a single'),
    "an empty body": (GOOD.replace("Dear {name}!", " "), '"body" is empty'),
    "a body that is too long": (GOOD.replace("Dear", "D" * 2001), "the gateway takes 2,000"),
    "an account that is not there": (GOOD.replace('"main"', '"mian"'), "there is no account mian"),
    "no account": (GOOD.replace('["main"]', "[]"), '"accounts" is empty'),
    "hours that are none": (GOOD + 'window = "10-21"\n', '"window" should be two times of day like "10:00-21:00"'),
    "hours that are not legal": (
        GOOD + 'sms_type = "promotional"\nwindow = "09:00-21:00"\n',
        '"window" 09:00-21:00 Asia/Kolkata leaves the permitted hours',
    ),
    "an end that is past": (GOOD + "expires_at = 2020-01-01T10:00:00+05:30\n", '"expires_at" is past'),
    "a number for text": (GOOD.replace('"phone"', "7"), '"to" should be text in quotes'),
    "a country that is none": (GOOD + 'default_country = "XX"\n', '"default_country" should be a country'),
    "no recipients": (GOOD.replace('recipients = "people.csv"\n', ""), "has no recipients"),
}
ACCOUNTS = {
    "not TOML": ("[accounts.main\n", "accounts.toml, line 1"),
    "no account": ("", "there is no account"),
    "an unknown gateway": (ACCOUNT.replace("exotel-sms", "exotel"), "accounts.main.gateway"),
    "keys of another gateway": (ACCOUNT.replace("exotel-sms", "xtend-sms"), "accounts.main.username is missing"),
    "an unknown key": (ACCOUNT + 'token = "t"\n', "accounts.main.token is not a known key"),
    "a rate that is none": (ACCOUNT + 'requests = "fast"\n', 'accounts.main.requests should be "N/second"'),
    "no sid": (ACCOUNT.replace('sid = "sim"\n', ""), "accounts.main.sid is missing"),
    "two accounts that are one": (ACCOUNT + ACCOUNT.replace("main", "second"), "they would double the limit"),
}
PEOPLE = {
    "an empty file": ("people.csv", "", "people.csv: the file is empty"),
    "no column with the number": ("people.csv", "number,name\n1,2\n", 'there is no column "phone"'),
    "no column of the body": ("people.csv", "phone,nane\n1,2\n", 'there is no column "name"; did you mean "nane"?'),
    "a column twice": ("people.csv", "phone,name,name\n1,2,3\n", "people.csv, line 1: two columns are named 'name'"),
    "a stray quote": (
        "people.csv",
        'phone,name\n1,a\n2,"b\n3,c\n',
        "people.csv, lines 3 to 4: a quoted field is never closed",
    ),
    "no text": ("people.csv", b"phone,name\n1,caf\x81\n", "people.csv, line 2: byte 6 of the line is neither UTF-8"),
    "not gzip": ("people.csv.gz", b"phone,name\n", "people.csv.gz"),
    "half of a gzip": ("people.csv.gz", gzip.compress(b"phone,name\n" + b"1,a\n" * 9999)[:-20], "people.csv.gz"),
    "a first line that is not JSON": ("people.jsonl", "phone,name\n", "people.jsonl, line 1"),
    "no spreadsheet": ("people.xlsx", "", "people.xlsx: no .xlsx file, or damaged, or protected by a password"),
    "an unknown format": ("people.txt", "", "people.txt: recipients are read from"),
    "no such file": ("other.csv", "", "people.csv: No such file or directory"),
}


def _says(ended, sentence):
    assert sentence in ended.err
    assert (ended.code, ended.out, ended.err.count("\n")) == (2, "", 1), ended.err


@pytest.mark.parametrize("mistake", CAMPAIGNS)
def test_a_campaign_file_with(cli, mistake):
    content, sentence = CAMPAIGNS[mistake]
    cli.write("offer.toml", content)
    _says(cli("enqueue", "offer.toml"), sentence)
    assert cli.is_untouched


@pytest.mark.parametrize("mistake", ACCOUNTS)
def test_an_accounts_file_with(cli, mistake):
    content, sentence = ACCOUNTS[mistake]
    cli.write("accounts.toml", content)
    _says(cli("enqueue", "offer.toml"), sentence)
    _says(cli("run", "offer.toml"), sentence)
    assert cli.is_untouched


@pytest.mark.parametrize("mistake", PEOPLE)
def test_recipients_with(cli, mistake):
    name, content, sentence = PEOPLE[mistake]
    (cli.directory / "people.csv").unlink()
    cli.write(name, content)
    _says(cli("enqueue", "offer.toml", "--recipients", name if name != "other.csv" else "people.csv"), sentence)
    assert cli.is_untouched


@pytest.mark.parametrize("mistake", ["an empty file", "no column of the body", "no such file"])
def test_run_looks_at_the_recipients_before_it_starts_a_worker(cli, mistake):
    name, content, sentence = PEOPLE[mistake]
    (cli.directory / "people.csv").unlink()
    cli.write(name, content)
    _says(cli("run", "offer.toml"), sentence)
    assert cli.is_untouched


@pytest.mark.parametrize("value", [None, "", " "])
def test_run_wants_the_secrets_of_the_account_before_it_queues(cli, monkeypatch, value):
    cli.write("accounts.toml", ACCOUNT.replace('"t"', '"env:EXOTEL_TOKEN_OF_TEST"'))
    if value is not None:
        monkeypatch.setenv("EXOTEL_TOKEN_OF_TEST", value)
    _says(cli("run", "offer.toml"), "account main: api_token needs the environment variable EXOTEL_TOKEN_OF_TEST")
    assert cli.is_untouched


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["enqueue", "other.toml"], "other.toml: No such file or directory"),
        (["enqueue", "offer.toml", "--id", "No Good"], "the id 'No Good' should have"),
        (["enqueue", "offer.toml", "--dry-run", "--hold"], "--dry-run queues nothing"),
        (
            ["run", "offer.toml", "--report", "nowhere/out.csv"],
            "--report nowhere/out.csv: there is no directory nowhere",
        ),
        (["run", "offer.toml", "--report", "."], "--report .: is a directory"),
        (["run", "offer.toml", "--patience", "-1"], "'--patience'"),
        (["run"], "Missing argument 'CAMPAIGN.toml'"),
        (["enqueue", "offer.toml", "--drynrun"], "--dry-run"),
        (["sattus"], "No such command 'sattus'. Did you mean 'status'"),
        (["status", "x1"], "there is no campaign x1"),
        (["watch", "x1"], "there is no campaign x1"),
        (["pause", "x1"], "there is no campaign x1"),
        (["resume", "x1"], "there is no campaign x1"),
        (["cancel", "x1"], "there is no campaign x1"),
        (["audit", "x1"], "there is no campaign x1"),
        (["report", "x1"], "there is no campaign x1"),
        (["report", "x1", "--only", "sent"], "--only sent: an outcome is one of accepted"),
        (["report", "x1", "--format", "xml"], "'--format'"),
        (["account", "open", "mian"], 'there is no account mian; did you mean "main"?'),
        (["account", "hold", "main"], "Missing option '--why'"),
        (["simulator", "--limit", "fast"], "limit 'fast'"),
    ],
)
def test_a_command_line_that_is_wrong(cli, arguments, sentence):
    ended = cli(*arguments)
    _says(ended, sentence) if "--json" not in arguments else None
    assert (ended.code, sentence in ended.err) == (2, True)
    assert cli.is_untouched


@pytest.mark.parametrize("command", [["enqueue", "offer.toml", "--recipients", "-"], ["suppress", "import", "-"]])
def test_a_standard_input_that_is_closed_has_nothing_in_it(cli, monkeypatch, command):
    monkeypatch.setattr("sys.stdin", None)
    _says(cli(*command), "standard input: the file is empty")
    sys.stdin.close()
    assert cli.is_untouched


def test_a_standard_output_that_is_closed_loses_the_words_and_nothing_else(cli, monkeypatch):
    monkeypatch.setattr("sys.stdout", None)
    assert cli("enqueue", "offer.toml", "--id", "x1").code == 0
    assert cli.client.exists("bs:c:x1")
    assert cli("suppress", "export").code == 0
    sys.stdout.close()


def test_with_json_a_mistake_is_a_document_too(cli):
    ended = cli("status", "x1", "--json")
    assert (ended.code, ended.json, ended.err) == (
        2,
        {"error": "there is no campaign x1"},
        "there is no campaign x1\n",
    )


@pytest.mark.parametrize("command", ["enqueue offer.toml", "status", "list", "audit x", "worker", "accounts"])
def test_without_a_redis_it_says_what_to_set(cli, monkeypatch, command):
    monkeypatch.delenv("BULKSEND_REDIS_URL")
    _says(cli(*command.split()), "there is no Redis: set BULKSEND_REDIS_URL, or give --data DIR for an embedded one")


def test_a_redis_that_does_not_answer_is_exit_status_1(cli, monkeypatch):
    monkeypatch.setenv("BULKSEND_REDIS_URL", "redis://127.0.0.1:1/0")
    for command in (["status"], ["enqueue", "offer.toml"], ["run", "offer.toml"]):
        ended = cli(*command)
        assert (ended.code, ended.out, ended.err.count("\n")) == (1, "", 1)
        assert ended.err.startswith("Redis does not answer")


def test_run_queues_nothing_in_a_redis_that_would_forget(cli):
    with connect(cli.redis_url) as client:
        client.config_set("maxmemory-policy", "allkeys-lru")
        try:
            ended = cli("run", "offer.toml")
        finally:
            client.config_set("maxmemory-policy", "noeviction")
    assert (ended.code, ended.err.count("\n")) == (1, 1)
    assert "set maxmemory-policy noeviction" in ended.err
    assert cli.is_untouched
