"""suppress: lists kept from the command line, and what a campaign makes of them."""

import csv
import io

import pytest

A, B, C = "+919000000001", "+919000000002", "+919000000003"
GLOBAL = {"list": "global", "name": None, "scope": "all"}


def test_add_and_remove_count_what_changed(cli):
    assert cli("suppress", "add", A, "90000 00002", A, "--json").json == GLOBAL | {"added": 2, "known": 0, "count": 2}
    assert cli("suppress", "add", B, C).out == "global, all: 1 added, 1 known; 3 on the list\n"
    assert cli("suppress", "remove", A, "+919000000009", "--json").json == GLOBAL | {
        "removed": 1,
        "unknown": 1,
        "count": 2,
    }


def test_a_national_number_is_of_the_default_country(cli):
    cli("suppress", "add", "6505550100", "--default-country", "US")
    assert cli("suppress", "check", "+16505550100", "--json").json["suppressed"] is True


def test_check_names_every_list_and_the_reason(cli):
    assert cli("suppress", "check", A).out == f"{A} is on no suppression list\n"
    cli("suppress", "add", A, "--reason", "opted-out")
    cli("suppress", "add", A, "--account", "main", "--scope", "promotional", "--reason", "dnd")
    cli("suppress", "add", B, "--sender", "EXOTEL")
    assert cli("suppress", "check", A).out == "global, all: opted out\naccount main, promotional: reported as DND\n"
    assert cli("suppress", "check", "90000 00002", "--json").json == {
        "to": B,
        "suppressed": True,
        "lists": [{"list": "sender", "name": "EXOTEL", "scope": "all", "reason": "hand"}],
    }


def test_count_shows_every_list_that_has_numbers(cli):
    assert cli("suppress", "count").out == "there are no suppression lists\n"
    cli("suppress", "add", A, B)
    cli("suppress", "add", A, "--sender", "exotel")
    assert cli("suppress", "count").out.split("\n")[1:3] == [
        "global         all    2",
        "sender EXOTEL  all    1",
    ]
    assert cli("suppress", "count", "--json").json[0] == GLOBAL | {"count": 2}


def test_import_counts_and_names_the_first_bad_lines(cli):
    cli("suppress", "add", A)
    cli.write("stop.txt", "9000000001\n9000000002\n\n12\n9000000002\n")
    ended = cli("suppress", "import", "stop.txt", "--json")
    assert ended.json == GLOBAL | {"added": 1, "known": 2, "invalid": 1, "count": 2}
    assert ended.err == "line 4: too short for IN\n"


def test_what_is_exported_keeps_its_reasons_when_it_is_imported(cli):
    cli("suppress", "add", A, "--reason", "opted-out")
    cli("suppress", "add", B, "--reason", "dnd")
    cli.write("all.csv", cli("suppress", "export").out + f"{C},a sentence of another program\n")
    cli("suppress", "import", "all.csv", "--sender", "EXOTEL")
    exported = cli("suppress", "export", "--sender", "EXOTEL").out.split()
    assert sorted(exported) == sorted(["to,reason", f"{A},opted-out", f"{B},dnd", f"{C},hand"])
    cli("suppress", "import", "all.csv", "--account", "main", "--reason", "dnd")
    assert sorted(cli("suppress", "export", "--account", "main").out.split())[:2] == [f"{A},dnd", f"{B},dnd"]


def test_import_tells_of_the_first_few_bad_lines_only(cli):
    cli.write("stop.csv", "phone\n9000000001\n" + "x\n" * 50)
    ended = cli("suppress", "import", "stop.csv", "--to", "phone")
    assert ended.err.splitlines() == [f"row {row}: not a phone number" for row in range(2, 7)]
    assert ended.out == "global, all: 1 added, 0 known, 50 invalid; 1 on the list\n"


def test_what_was_exported_can_be_imported(cli):
    cli("suppress", "add", A, B, "--sender", "EXOTEL", "--reason", "dnd")
    ended = cli("suppress", "export", "--sender", "exotel")
    assert sorted(csv.reader(io.StringIO(ended.out))) == [[A, "dnd"], [B, "dnd"], ["to", "reason"]]
    cli.write("stop.csv", ended.out)
    assert cli("suppress", "import", "stop.csv", "--json").json["added"] == 2


def test_an_export_in_json_is_one_array(cli):
    assert cli("suppress", "export", "--json").json == []
    cli("suppress", "add", A, B)
    found = cli("suppress", "export", "--json").json
    assert sorted(found, key=lambda each: each["to"]) == [{"to": A, "reason": "hand"}, {"to": B, "reason": "hand"}]


def test_an_import_that_breaks_off_says_how_far_it_came(cli):
    cli.write("stop.txt", b"".join(b"90000%05d\n" % n for n in range(10_000)) + b"\0\n")
    ended = cli("suppress", "import", "stop.txt")
    assert ended.code == 2
    assert ended.err.endswith("; the numbers of the first 10,000 rows are on the list\n")
    assert cli("suppress", "count", "--json").json[0]["count"] == 10_000


def test_a_campaign_passes_over_who_is_on_a_list(cli):
    cli("suppress", "add", A, "--account", "main", "--reason", "opted-out")
    told = cli("enqueue", "offer.toml", "--id", "x1", "--json").json
    assert (told["suppressed"], told["duplicate"], told["queued"]) == (1, 1, 2)
    (line,) = cli("report", "x1", "--only", "suppressed", "--json").json
    assert (line["to"], line["reason"]) == (A, "on the account's suppression list: opted out")
    assert cli("audit", "x1").code == 0
    assert "2 queued, 1 invalid, 1 duplicate, 1 suppressed" in cli("status", "x1").out


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["add", A, "12"], "number 2, '12': too short for IN"),
        (["add"], "Missing argument 'NUMBER...'"),
        (["remove", "nobody"], "number 1, 'nobody': not a phone number"),
        (["check", "12"], "number 1, '12': too short for IN"),
        (["add", A, "--account", "mian"], 'there is no account mian; did you mean "main"?'),
        (["import", "people.csv", "--to", "phone", "--account", "mian"], "there is no account mian"),
        (["add", A, "--account", "main", "--sender", "EXOTEL"], "--account and --sender are two lists"),
        (["add", A, "--sender", " "], "--sender is empty"),
        (["add", A, "--scope", "some"], "'--scope'"),
        (["add", A, "--default-country", "india"], "--default-country india: should be a country"),
        (["import", "people.csv"], 'people.csv: there is no column "to"'),
        (["import", "people.csv", "--to", "name"], "none of its 5 rows has a number; row 1: not a phone number"),
        (["import", "people.csv", "--default-country", "XX"], "--default-country XX: should be"),
        (["import", "nobody.txt"], "nobody.txt: No such file or directory"),
    ],
)
def test_a_mistake_is_one_sentence_and_changes_nothing(cli, arguments, sentence):
    ended = cli("suppress", *arguments)
    assert sentence in ended.err
    assert (ended.code, ended.out, ended.err.count("\n")) == (2, "", 1)
    assert cli.client.keys("bs:sup*") == []
