"""The commands on a campaign that nobody sends: what they print, store, refuse and repeat."""

import csv
import io
import json
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.cli.application import COMMANDS
from worker.domain.ids import CampaignId
from worker.ledger import keys
from worker.ledger.record import FIELDS

STATUS = {
    *("id", "name", "state", "reason", "rows", "invalid", "duplicate", "suppressed", "queued"),
    *("pending", "in_flight", "accepted", "rejected", "unconfirmed", "expired", "cancelled"),
    *("delivered", "undelivered", "awaiting", "calls", "throttled", "batches", "codes"),
}


@pytest.fixture
def queued(cli):
    """The command line with campaign x1, queued and held."""
    assert cli("enqueue", "offer.toml", "--id", "x1", "--hold").code == 0
    return cli


GROUPS = {
    "account": ("hold", "open"),
    "schedule": ("add", "list", "pause", "resume", "remove", "run"),
    "suppress": ("add", "remove", "import", "export", "count", "check"),
}


@pytest.mark.parametrize(
    "command",
    [*([name] for name in COMMANDS), *([group, name] for group, names in GROUPS.items() for name in names)],
)
def test_every_command_has_help_and_json(cli, command):
    ended = cli(*command, "--help")
    assert (ended.code, ended.err) == (0, "")
    assert command in ([group] for group in GROUPS) or "--json" in ended.out
    assert ended.out.startswith(f"Usage: bulksend {' '.join(command)} ")


@pytest.mark.parametrize("command", ["run", "enqueue"])
def test_help_names_every_kind_of_file_that_recipients_may_be_in(cli, command):
    said = cli(command, "--help").out
    assert all(ending in said for ending in (".csv", ".jsonl", ".gz", ".xlsx"))


def test_help_and_status_do_not_wait_for_celery(cli):
    for arguments in (["--help"], ["status"]):
        code = f"import sys; from scripts.cli import main; main({arguments}); print('celery' in sys.modules)"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert done.stdout.endswith("False\n")


def test_a_version_can_be_asked_for(cli):
    assert cli("--version").out.startswith("bulksend ")


def test_enqueue_queues_and_says_where_the_campaign_stands(cli):
    ended = cli("enqueue", "offer.toml", "--json")
    assert ended.code == 0
    assert ended.json.keys() >= STATUS
    assert ended.json["id"].startswith("offer-")
    counted = {name: ended.json[name] for name in ("state", "rows", "invalid", "duplicate", "queued", "pending")}
    assert counted == {"state": "running", "rows": 5, "invalid": 1, "duplicate": 1, "queued": 3, "pending": 3}
    assert "no worker is running" in ended.json["reason"]
    assert cli("status", ended.json["id"], "--json").json == ended.json


def test_the_same_id_again_changes_nothing_and_says_so(queued):
    before = queued.client.hgetall(keys.campaign(CampaignId("x1")))
    (queued.directory / "people.csv").unlink()
    ended = queued("enqueue", "offer.toml", "--id", "x1", "--json")
    assert (ended.code, ended.json["state"]) == (0, "paused")
    assert "x1 was queued before and is paused: nothing was changed" in ended.err
    assert queued.client.hgetall(keys.campaign(CampaignId("x1"))) == before


def test_whoever_watches_is_told_the_new_id_before_it_ends(cli):
    cli.write("people.csv", "phone,name\nnobody,A\n")
    ended = cli("enqueue", "offer.toml", "--watch", "--json")
    assert ended.err.splitlines()[0] == f"the campaign's id is {ended.json['id']}"
    assert "id is" not in cli("enqueue", "offer.toml", "--watch", "--id", "x1", "--json").err


def test_recipients_come_from_another_file_or_from_standard_input(cli):
    cli.write("two.jsonl", '{"phone": "9000000001", "name": "A"}\n{"phone": "9000000002", "name": "B"}\n')
    assert cli("enqueue", "offer.toml", "--recipients", "two.jsonl", "--json").json["queued"] == 2
    with (cli.directory / "two.jsonl").open() as stdin:
        ended = cli.process("enqueue", "offer.toml", "--recipients", "-", "--json", stdin=stdin)
    assert ended.json["queued"] == 2


def test_a_held_campaign_waits_until_it_is_resumed(queued):
    standing = queued("status", "x1", "--json").json
    assert (standing["state"], standing["reason"]) == ("paused", standing["reason"])
    assert standing["reason"].endswith("--hold")
    assert queued("resume", "x1", "--json").json["state"] == "running"
    assert queued("resume", "x1").code == 0


def test_pause_says_by_whom_and_why_and_may_be_repeated(queued):
    queued("resume", "x1")
    first = queued("pause", "x1", "--why", "lunch", "--json")
    assert (first.code, first.json["state"]) == (0, "paused")
    assert first.json["reason"].startswith("by ")
    assert first.json["reason"].endswith(": lunch")
    again = queued("pause", "x1", "--json")
    assert (again.code, again.json["reason"]) == (0, first.json["reason"])


def test_cancel_ends_it_for_good(queued):
    ended = queued("cancel", "x1", "--json")
    assert (ended.code, ended.json["state"], ended.json["cancelled"], ended.json["pending"]) == (0, "cancelled", 3, 0)
    assert queued("cancel", "x1").code == 0
    for command in ("pause", "resume"):
        ended = queued(command, "x1")
        assert (ended.code, ended.out) == (1, "")
        assert ended.err == f"x1 is cancelled: there is nothing to {command}\n"


def test_a_finished_campaign_can_not_be_paused_resumed_or_cancelled(cli):
    cli.write("people.csv", "phone,name\nnobody,A\n")
    assert cli("enqueue", "offer.toml", "--id", "x1", "--json").json["state"] == "finished"
    for command in ("pause", "resume", "cancel"):
        ended = cli(command, "x1")
        assert (ended.code, ended.err) == (1, f"x1 is finished: there is nothing to {command}\n")
    assert cli("watch", "x1", "--json").json["state"] == "finished"
    assert cli("run", "offer.toml", "--id", "x1", "--json").json["invalid"] == 1


def test_list_has_the_newest_first_and_is_what_status_is_without_an_id(queued):
    assert queued("enqueue", "offer.toml", "--id", "x2", "--hold").code == 0
    listed = queued("list", "--json").json
    assert [each["id"] for each in listed] == ["x2", "x1"]
    assert queued("status", "--json").json == listed
    assert queued("list").out.splitlines()[1].startswith("x2  paused  5")


def test_a_report_has_one_line_a_row_with_the_inputs_own_columns(queued):
    ended = queued("report", "x1")
    heading, *lines = csv.reader(io.StringIO(ended.out))
    assert heading == [*FIELDS, "phone", "name"]
    found = [dict(zip(heading, line, strict=True)) for line in lines]
    assert [(line["row"], line["to"], line["outcome"]) for line in found] == [
        ("1", "+919000000001", "pending"),
        ("2", "+919000000002", "pending"),
        ("3", "12", "invalid"),
        ("4", "+919000000001", "duplicate"),
        ("5", "+919000000005", "pending"),
    ]
    assert (found[1]["phone"], found[1]["name"], found[1]["code"]) == ("90000 00002", "Bala", "")
    assert found[2]["reason"] == "too short for IN"


def test_a_report_in_json_lines_has_null_for_what_there_is_not(queued):
    lines = [json.loads(line) for line in queued("report", "x1", "--format", "jsonl").out.splitlines()]
    assert [line["row"] for line in lines] == [1, 2, 3, 4, 5]
    assert (lines[0]["batch"], lines[0]["sent_at"], lines[0]["name"], lines[2]["batch"]) == (1, None, "Asha", None)


def test_a_report_as_one_json_document_is_an_array_of_the_same_lines(queued):
    lines = [json.loads(line) for line in queued("report", "x1", "--format", "jsonl").out.splitlines()]
    assert queued("report", "x1", "--json").json == lines
    assert queued("report", "x1", "--only", "accepted", "--json").json == []


def test_columns_that_differ_from_row_to_row_are_all_in_a_csv_report(cli):
    cli.write("people.jsonl", '{"phone": "9000000001", "name": "A", "to": "x"}\n{"phone": "9000000002", "name": "B"}\n')
    cli("enqueue", "offer.toml", "--recipients", "people.jsonl", "--id", "x1", "--hold")
    found = list(csv.DictReader(io.StringIO(cli("report", "x1").out)))
    assert [(line["name"], line["in_to"]) for line in found] == [("A", "x"), ("B", "")]


def test_a_report_goes_into_a_file_whole_and_may_be_of_one_outcome_only(queued):
    ended = queued("report", "x1", "--out", "out.jsonl", "--only", "invalid", "--json")
    assert ended.json == {"rows": 1, "out": "out.jsonl"}
    assert json.loads((queued.directory / "out.jsonl").read_text())["row"] == 3
    before = sorted(queued.directory.iterdir())
    queued.client.delete(keys.packed(CampaignId("x1"), 1))
    failed = queued("report", "x1", "--out", "out.jsonl")
    assert (failed.code, failed.err) == (1, "batch 1 of x1 is not in Redis any more\n")
    assert json.loads((queued.directory / "out.jsonl").read_text())["row"] == 3
    assert sorted(queued.directory.iterdir()) == before


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize(("command", "code"), [("--help", 0), ("report x1", 0), ("status x9 --json", 2)])
def test_a_command_does_its_work_without_its_standard_streams(queued, closed, command, code):
    line = f"{sys.executable} -P -m scripts.cli {command} {closed}"
    done = subprocess.run(["bash", "-c", line], cwd=queued.directory, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.count("\n")) == (code, 1 if code and "2>" not in closed else 0), done.stderr


def test_a_report_may_have_the_longest_name_that_a_file_can_have(queued):
    name = "r" * 251 + ".csv"
    assert queued("report", "x1", "--out", name).code == 0
    assert (queued.directory / name).read_text().count("\n") == 6


def test_a_reader_that_has_enough_is_no_error_to_talk_about(queued):
    command = f"{sys.executable} -P -m scripts.cli"
    for what in ("status x1 --json", "report x1"):
        done = subprocess.run(
            ["bash", "-c", f"{command} {what} | true"],
            cwd=queued.directory,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.stderr == ""


def test_a_full_disk_is_said_in_one_sentence(queued):
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        ended = queued.process("report", "x1", stdout=full)
    assert (ended.code, ended.err) == (1, "standard output: No space left on device\n")


def test_a_run_whose_report_can_not_be_written_still_prints_one_document(cli):
    cli.write("people.csv", "phone,name\nnobody,A\n")
    cli("enqueue", "offer.toml", "--id", "x1")
    ended = cli("run", "offer.toml", "--id", "x1", "--report", "/dev/full", "--json")
    assert (ended.code, ended.json["state"], ended.json["invalid"]) == (1, "finished", 1)
    assert ended.json["error"] == "/dev/full can not be written: No space left on device"
    assert [line.split(": ")[0] for line in ended.err.splitlines()] == [
        "/dev/full can not be written",
        "Each recipient",
    ]


def test_audit_is_exit_status_1_where_the_books_differ(queued):
    ended = queued("audit", "x1", "--json")
    assert (ended.code, ended.json) == (0, {"ok": True, "differences": []})
    queued.client.hincrby(keys.campaign(CampaignId("x1")), "accepted", 1)
    ended = queued("audit", "x1", "--json")
    assert (ended.code, ended.json["ok"], len(ended.json["differences"])) == (1, False, 2)


def test_accounts_are_held_and_opened(cli):
    assert cli("accounts", "--json").json == [
        {
            "name": "main",
            "gateway": "exotel-sms",
            "state": "open",
            "reason": None,
            "rate": 50.0,
            "ceiling": 50.0,
            "in_flight": 0,
            "paused_until": None,
            "probe_at": None,
        }
    ]
    for _ in range(2):
        held = cli("account", "hold", "main", "--why", "no balance", "--json")
        assert (held.code, held.json["state"]) == (0, "held")
        assert held.json["reason"].endswith("no balance")
    assert "no balance" in cli("accounts").out
    for _ in range(2):
        opened = cli("account", "open", "main", "--json")
        assert (opened.code, opened.json["state"], opened.json["reason"]) == (0, "open", None)


def test_an_account_that_pauses_says_until_when_and_why(cli):
    until_us = (cli.client.time()[0] + 600) * 1_000_000
    fields = {"paused_until": until_us, "pause_reason": "Too many", "factor": 0.5, "refused": 1, "slow_at": until_us}
    cli.client.hset("bs:lane:main", mapping=fields)
    (account,) = cli("accounts", "--json").json
    assert (account["state"], account["reason"], account["rate"]) == ("open", "Too many", 25.0)
    assert account["paused_until"].endswith("+00:00")


def test_a_dry_run_counts_and_shows_samples_and_needs_no_redis(cli, monkeypatch):
    monkeypatch.delenv("BULKSEND_REDIS_URL")
    ended = cli("enqueue", "offer.toml", "--dry-run", "--json")
    assert ended.code == 0
    assert (STATUS - {"state", "reason"}) <= ended.json.keys()
    counted = {name: ended.json[name] for name in ("rows", "invalid", "duplicate", "queued", "pending", "calls")}
    assert counted == {"rows": 5, "invalid": 1, "duplicate": 1, "queued": 3, "pending": 3, "calls": 1}
    (sample,) = ended.json["samples"]
    assert (sample["row"], sample["body"], sample["shows"]) == (1, "Dear Asha!", ["first", "longest"])
    assert ended.json["finish_at"].endswith("+00:00")
    assert cli.is_untouched
    assert "row 3: invalid: too short for IN" in cli("enqueue", "offer.toml", "--dry-run").out


@pytest.mark.parametrize("options", [["--dry-run"], ["--hold"]])
def test_how_the_recipients_were_understood_is_said_on_standard_error(cli, options):
    people = "phone;name\n+919000000001;Asha\n+919000000002;Ren\u00e9\n"
    (cli.directory / "people.csv").write_bytes(people.encode("cp1252"))
    ended = cli("enqueue", "offer.toml", "--json", *options)
    assert (ended.code, ended.json["queued"]) == (0, 2)
    assert "people.csv: columns are separated by semicolons" in ended.err
    assert "people.csv: read as Windows-1252, since line 3 is not UTF-8; this is a guess" in ended.err


def test_a_dry_run_without_an_accounts_file_can_not_say_when_it_would_be_through(cli):
    (cli.directory / "accounts.toml").unlink()
    ended = cli("enqueue", "offer.toml", "--dry-run", "--json")
    assert (ended.code, ended.json["finish_at"], ended.json["queued"]) == (0, None, 3)


def test_with_data_the_embedded_redis_wins_and_keeps_the_campaign(cli):
    assert cli.process("enqueue", "offer.toml", "--id", "x9", "--hold", "--data", "my data").code == 0
    assert cli.is_untouched
    assert cli.process("status", "x9", "--data", "my data", "--json").json["queued"] == 3


def test_the_example_of_the_python_interface_queues_its_three(cli, capsys):
    runpy.run_module("scripts.enqueue_campaign", run_name="__main__")
    campaign_id = capsys.readouterr().out.strip()
    assert campaign_id.startswith("order-update-")
    assert cli("status", campaign_id, "--json").json["queued"] == 3


def test_only_batch_means_all_that_moved_out_of_it_and_has_to_be_there(queued):
    queued.client.hset("bs:c:x1", "made", 2)
    queued.client.hset(keys.batch_state(CampaignId("x1"), 1), "children", "2 3")
    for single in (2, 3):
        queued.client.hset(keys.batch_state(CampaignId("x1"), single), mapping={"state": "settled", "unconfirmed": 1})
    preview = ("resolve", "x1", "--as", "accepted", "--dry-run", "--json", "--only-batch")
    assert queued(*preview, "1").json["batches"] == {"2": 1, "3": 1}
    assert queued(*preview, "3").json["batches"] == {"3": 1}
    ended = queued(*preview, "4")
    assert (ended.code, ended.json) == (2, {"error": "there is no batch 4 of x1: its last is 3"})


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"state": "cancelled"}, "the campaign is cancelled"),
        ({"state": "finished", "ended": 1}, "the campaign's time is over (expires_at)"),
    ],
)
@pytest.mark.parametrize("options", [[], ["--dry-run"]])
def test_what_is_unconfirmed_in_a_campaign_that_is_over_is_not_said_to_go_again(queued, fields, why, options):
    queued.client.hset("bs:c:x1", mapping=fields)
    queued.client.hset(keys.batch_state(CampaignId("x1"), 1), mapping={"state": "settled", "unconfirmed": 3})
    ended = queued("resolve", "x1", "--as", "resend", "--json", *options)
    assert (ended.code, ended.json) == (1, {"error": f"3 messages stay unconfirmed: {why}"})
    assert queued("resolve", "x1", "--as", "accepted", "--dry-run", "--json").json["messages"] == 3
