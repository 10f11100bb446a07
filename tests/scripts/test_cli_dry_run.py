"""enqueue --dry-run: what it tells of a campaign, with a Redis and without, and that it changes nothing."""

import json
from datetime import UTC, datetime, timedelta

import pytest

A = 919000000000
SPARE = """
    [accounts.spare]
    gateway = "exotel-sms"
    base_url = "http://127.0.0.1:9"
    sid = "spare"
    api_key = "k"
    api_token = "t"
    requests = "50/second"
"""


@pytest.fixture
def dry(cli):
    """`dry(people, *options, account=…, **keys)`: the document of a dry run of so many or of these names."""

    def run(people, *options, account="", **keys):
        names = ["Asha"] * people if isinstance(people, int) else people
        rows = ({"phone": f"+{A + row}", "name": name} for row, name in enumerate(names, 1))
        cli.write("people.jsonl", "".join(json.dumps(row) + "\n" for row in rows).encode())
        campaign = {"name": "offer", "accounts": ["main"], "recipients": "people.jsonl", "to": "phone"}
        campaign |= {"body": "Dear {name}"} | keys
        written = (
            f"{key} = {value if isinstance(value, datetime) else json.dumps(value)}\n"
            for key, value in campaign.items()
        )
        cli.write("offer.toml", "".join(written).encode())
        if account:
            text = (cli.directory / "accounts.toml").read_text()
            cli.write("accounts.toml", text.replace("requests = ", f"{account}\nrequests = ").encode())
        before = cli.client.dbsize()
        ended = cli("enqueue", "offer.toml", "--dry-run", "--json", *options)
        assert (ended.code, cli.client.dbsize()) == (0, before), ended.err
        run.err = ended.err
        return ended.json

    return run


def seconds_until(document):
    return (datetime.fromisoformat(document["finish_at"]) - datetime.now(UTC)).total_seconds()


def words(cli, *options):
    return cli("enqueue", "offer.toml", "--dry-run", *options).out


def test_the_first_the_longest_and_one_outside_the_cheap_alphabet_are_shown(cli, dry):
    samples = dry(["Asha", "B" * 200, "आशा", "नमस्ते"])["samples"]
    assert [(each["row"], each["shows"], each["segments"]) for each in samples] == [
        (1, ["first"], 1),
        (2, ["longest"], 2),
        (3, ["not GSM"], 1),
    ]
    assert samples[2] == {"row": 3, "to": f"+{A + 3}", "body": "Dear आशा", "segments": 1, "shows": ["not GSM"]}
    assert f"row 3, +{A + 3} (not GSM; segments: 1): Dear आशा\n" in words(cli)


def test_the_first_rows_of_each_kind_are_told_with_their_reasons(cli, dry):
    people = "".join(f"{to},x\n" for to in ["12", "13", "+919000000001", "14", "15", "+919000000001", "+919000000002"])
    cli("suppress", "add", "+919000000002")
    dry(1)
    cli.write("people.csv", f"phone,name\n{people}".encode())
    found = cli("enqueue", "offer.toml", "--dry-run", "--json", "--recipients", "people.csv").json
    assert {kind: [row["row"] for row in rows] for kind, rows in found["first_rows"].items()} == {
        "invalid": [1, 2, 4], "duplicate": [6], "suppressed": [7],
    }  # fmt: skip
    assert found["first_rows"]["suppressed"][0] == {
        "row": 7, "to": "+919000000002", "reason": "on the global suppression list: added by hand",
    }  # fmt: skip
    assert (found["rows"], found["invalid"], found["duplicate"], found["suppressed"], found["queued"]) == (
        7,
        4,
        1,
        1,
        1,
    )
    told = words(cli, "--recipients", "people.csv")
    assert "row 6: duplicate: the number stands in an earlier row" in told
    assert "and 1 more invalid" in told


def test_segments_are_those_that_the_campaign_then_has_and_are_priced(cli, dry):
    found = dry(["Asha", "B" * 200, "आशा"], account="price_per_segment = 0.18")
    assert (found["segments"], found["cost"]) == (4, 0.72)
    assert "segments: 4, 0.72 (price_per_segment = 0.18)\n" in words(cli)
    queued = cli("enqueue", "offer.toml", "--hold", "--json").json
    assert queued["segments"] == 4
    assert "  segments: 4\n" in cli("status", queued["id"]).out
    report = cli("report", queued["id"], "--format", "jsonl").out.splitlines()
    assert [json.loads(line)["segments"] for line in report] == [1, 2, 1]
    assert cli("audit", queued["id"]).code == 0


def test_one_row_is_not_rows(cli, dry):
    dry(1)
    assert "  1 row: 1 would be queued, 0 invalid, 0 duplicate, 0 suppressed\n" in words(cli)
    queued = cli("enqueue", "offer.toml", "--hold")
    assert "  1 row: 1 queued\n" in queued.out


def test_without_a_price_there_is_no_cost(dry):
    assert dry(2)["cost"] is None


def test_what_ascii_would_save_is_told_and_then_saved(cli, dry):
    body = "It’s {name}’s – " + "x" * 60
    found = dry(["Asha", "आशा"], body=body)
    assert (found["segments"], found["ascii_saves"]) == (4, 1)
    assert "--ascii would save 1 segment\n" in words(cli)
    with_it = dry(["Asha", "आशा"], "--ascii", body=body)
    assert (with_it["segments"], with_it["ascii_saves"]) == (3, 1)
    assert with_it["samples"][0]["body"].startswith("It's Asha's - xx")
    assert "--ascii saves 1 segment\n" in words(cli, "--ascii")
    assert cli("enqueue", "offer.toml", "--ascii", "--hold", "--json").json["segments"] == 3


def test_what_the_registered_text_would_refuse_is_not_saved(dry):
    keys = {"body": "It’s {name} " + "x" * 70, "dlt_template": "It’s {#var#} " + "x" * 70}
    assert dry(["Asha"], **keys)["ascii_saves"] == 0
    assert dry(["Asha"], "--ascii", **keys)["invalid"] == 1


@pytest.mark.parametrize(
    "command", [["enqueue", "offer.toml", "--hold"], ["enqueue", "offer.toml", "--dry-run"], ["run", "offer.toml"]]
)
def test_ascii_needs_a_body(cli, command):
    campaign = 'name = "offer"\naccounts = ["main"]\n[content]\ntype = "text"\n'
    cli.write("offer.toml", campaign.encode())
    ended = cli(*command, "--ascii")
    assert (ended.code, ended.err) == (
        2, "campaign offer: --ascii is of a body: a campaign with [content] has none\n",
    )  # fmt: skip


def test_content_objects_have_neither_segments_nor_cost(cli, dry):
    account = '[accounts.main]\ngateway = "exotel-whatsapp"\nsid = "a"\napi_key = "k"\napi_token = "t"\n'
    cli.write("accounts.toml", f"{account}price_per_segment = 0.18\n".encode())
    campaign = 'name = "offer"\naccounts = ["main"]\nto = "phone"\nfrom = "+910000000000"\nrecipients = "people.csv"\n'
    cli.write("offer.toml", f'{campaign}[content]\ntype = "text"\ntext = {{ body = "नमस्ते {{name}}" }}\n'.encode())
    found = cli("enqueue", "offer.toml", "--dry-run", "--json").json
    assert (found["queued"], found["segments"], found["cost"], found["samples"][0]["segments"]) == (3, 0, None, None)
    assert "segments" not in words(cli)


def test_it_is_through_when_both_ceilings_have_let_the_last_call_go(dry):
    assert seconds_until(dry(301)) == pytest.approx(3 * 0.02 * 1.02, abs=2)
    assert dry(301)["calls"] == 4
    assert seconds_until(dry(301, account='messages = "1/minute"')) == pytest.approx(3 * 60 * 75.25, rel=0.05)


def test_a_pool_works_together(cli, dry):
    text = (cli.directory / "accounts.toml").read_text() + SPARE
    cli.write("accounts.toml", text.replace("/second", "/hour").encode())
    alone, together = (seconds_until(dry(5001, accounts=pool)) for pool in (["main"], ["main", "spare"]))
    assert together == pytest.approx(alone / 2, abs=5)


def test_a_gateway_for_one_recipient_needs_a_call_for_each(cli, dry):
    skycore = 'gateway = "skycore-sms"\nbase_url = "http://127.0.0.1:9/api"\napi_key = "k"\nsender_number = "12345"\n'
    cli.write("accounts.toml", f'[accounts.main]\n{skycore}requests = "1/minute"\n'.encode())
    found = dry(201)
    assert (found["calls"], found["batches"]) == (201, 3)
    assert seconds_until(found) == pytest.approx(200 * 60 * 1.01, abs=30)


def test_what_waits_before_it_is_waited_for(cli, dry):
    text = (cli.directory / "accounts.toml").read_text().replace("50/second", "1/minute")
    cli.write("accounts.toml", text.encode())
    dry(301)
    assert cli("enqueue", "offer.toml", "--id", "first").code == 0
    assert seconds_until(dry(301)) == pytest.approx(7 * 60 * 1.01, abs=30)
    assert seconds_until(dry(301, priority="high")) == pytest.approx(3 * 60 * 1.01, abs=30)


def test_before_its_start_nothing_goes(dry):
    start = datetime.now(UTC).replace(microsecond=0) + timedelta(days=3)
    assert dry(1, start_at=start)["finish_at"] == start.isoformat()


def test_outside_its_window_nothing_goes(dry):
    hour = (datetime.now(UTC).hour + 2) % 24
    found = dry(1, window=f"{hour:02}:00-{(hour + 1) % 24:02}:00", timezone="UTC")
    assert found["finish_at"][11:19] == f"{hour:02}:00:00"


def test_an_end_that_comes_first_is_told_with_how_many_expire(cli, dry):
    text = (cli.directory / "accounts.toml").read_text().replace("50/second", "1/hour")
    cli.write("accounts.toml", text.encode())
    ends = datetime.now(UTC).replace(microsecond=0) + timedelta(minutes=90)
    found = dry(400, expires_at=ends)
    assert (found["queued"], found["expired"], found["pending"]) == (400, 200, 200)
    assert (found["finish_at"], found["reason"]) == (ends.isoformat(), '"expires_at" comes first: 200 would expire')
    assert f'over at {ends.isoformat()}: "expires_at" comes first: 200 would expire\n' in words(cli)


def test_an_end_that_is_past_is_refused_as_when_it_is_queued(cli):
    campaign = (cli.directory / "offer.toml").read_text() + "expires_at = 2020-01-01T00:00:00Z\n"
    cli.write("offer.toml", campaign.encode())
    for options in ([], ["--dry-run"]):
        ended = cli("enqueue", "offer.toml", *options)
        assert (ended.code, ended.err) == (2, 'campaign offer: "expires_at" is past: nothing of it would be sent\n')
    assert cli.is_untouched


def test_a_held_account_can_not_say_when(cli, dry):
    assert cli("account", "hold", "main", "--why", "no balance").code == 0
    found = dry(2)
    assert found["finish_at"] is None
    assert found["reason"].startswith("account main is held: ")
    assert f"when it would be through can not be said: {found['reason']}\n" in words(cli)


def test_a_redis_that_is_away_is_done_without(cli, dry, monkeypatch):
    monkeypatch.setenv("BULKSEND_REDIS_URL", "redis://127.0.0.1:9/0")
    assert dry(2)["queued"] == 2
    assert "suppression lists and queues are not looked at\n" in dry.err


def test_a_directory_without_data_is_not_made(cli, dry):
    assert dry(2, "--data", "none")["queued"] == 2
    assert not (cli.directory / "none").exists()


def test_the_embedded_redis_is_asked_too(cli):
    assert cli.process("suppress", "add", "+919000000001", "--data", "mine").code == 0
    found = cli.process("enqueue", "offer.toml", "--dry-run", "--json", "--data", "mine").json
    assert (found["queued"], found["suppressed"]) == (2, 1)
