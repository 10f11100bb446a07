"""enqueue --from-report: a follow-up of those of an earlier campaign."""

import asyncio

import pytest

from tasks import Campaign, enqueue, recipients_of_report
from worker.domain.answers import Accepted, Rejected, Unconfirmed
from worker.domain.delivery import DeliveryReport
from worker.ledger.connection import connect_async
from worker.ledger.outcomes import Outcomes
from worker.ledger.receiving import Addressed, receive
from worker.ledger.seats import Ceiling, announce, take_seat
from worker.ledger.settling import Verdict, settle
from worker.ledger.taking import Intent, take

INTENT = Intent(lookahead_us=60_000_000, lead_us=0, expiry_us=40_000_000, confirm=False, replicas=0)
COUNTED = ("rows", "invalid", "duplicate", "suppressed", "queued")


async def send_all(url, *outcomes):
    """One batch of the campaign goes out, and comes to this."""
    async with connect_async(url) as client:
        await announce(client, "w", {"main": Ceiling(call_us=1000, message_us=0, concurrency=8)})
        await take_seat(client, "main", "w")
        (taken,) = (await take(client, "main", "w", ["attempt"], INTENT)).taken
        await settle(client, "main", taken, Outcomes(sent_at=1.8e9, messages=outcomes), Verdict(kind="ok"))


@pytest.fixture
def earlier(cli):
    """The command line with x1, finished: Asha undelivered, Bala rejected, Esha unconfirmed."""
    assert cli("enqueue", "offer.toml", "--id", "x1").code == 0
    outcomes = (Accepted(gateway_id="g1"), Rejected(code="23010", reason="INVALID"), Unconfirmed(reason="no answer"))
    asyncio.run(send_all(cli.redis_url, *outcomes))
    said = DeliveryReport(state="failed", gateway_id="g1", code="23035")
    receive(cli.client, [Addressed(campaign="x1", batch=1, report=said)])
    assert cli("status", "x1", "--json").json["state"] == "finished"
    return cli


def reported(cli, campaign):
    return [(line["to"], line["name"]) for line in cli("report", campaign, "--json").json]


def test_a_follow_up_goes_to_those_with_the_delivery_and_the_code(earlier):
    ended = earlier("enqueue", "offer.toml", "--id", "x2", "--from-report", "x1", "--only", "undelivered",
                    "--code", "23035", "--json")  # fmt: skip
    assert (ended.code, ended.err) == (0, "")
    assert [ended.json[name] for name in COUNTED] == [1, 0, 0, 0, 1]
    assert reported(earlier, "x2") == [("+919000000001", "Asha")]


def test_the_unconfirmed_are_passed_over_and_counted_unless_they_are_included(earlier):
    command = ("enqueue", "offer.toml", "--from-report", "x1", "--only", "undelivered", "--only", "rejected")
    ended = earlier(*command, "--id", "x2", "--json")
    assert reported(earlier, "x2") == [("+919000000001", "Asha"), ("+919000000002", "Bala")]
    assert ended.err.startswith("1 unconfirmed of x1 passed over: they may have been messaged already")
    ended = earlier(*command, "--id", "x3", "--include-unconfirmed", "--json")
    assert [name for _, name in reported(earlier, "x3")] == ["Asha", "Bala", "Esha"]
    assert ended.err == ""


def test_what_was_invalid_can_be_followed_up_too_and_is_judged_anew(earlier):
    ended = earlier("enqueue", "offer.toml", "--from-report", "x1", "--only", "invalid", "--json")
    assert [ended.json[name] for name in COUNTED] == [1, 1, 0, 0, 0]


def test_the_number_stands_where_the_new_campaign_looks_for_it(earlier):
    earlier.write("again.toml", 'name = "again"\naccounts = ["main"]\nto = "mobile"\nbody = "Dear {name}!"\n')
    ended = earlier("enqueue", "again.toml", "--id", "x2", "--from-report", "x1", "--code", "23010")
    assert ended.code == 0
    (line,) = earlier("report", "x2", "--json").json
    assert (line["to"], line["phone"], line["mobile"]) == ("+919000000002", "90000 00002", "+919000000002")


def test_a_dry_run_shows_the_follow_up_and_queues_nothing(earlier):
    before = earlier.client.keys("bs:c:*")
    ended = earlier("enqueue", "offer.toml", "--from-report", "x1", "--only", "rejected", "--dry-run", "--json")
    assert (ended.code, ended.json["queued"]) == (0, 1)
    assert ended.json["samples"][0]["body"] == "Dear Bala!"
    assert "1 unconfirmed of x1 passed over" in ended.err
    assert earlier.client.keys("bs:c:*") == before


def test_the_same_id_again_changes_nothing(earlier):
    command = ("enqueue", "offer.toml", "--id", "x2", "--from-report", "x1", "--only", "rejected", "--json")
    first = earlier(*command)
    again = earlier(*command)
    assert again.json == first.json
    assert "x2 was queued before and is running: nothing was changed" in again.err


def test_a_campaign_that_goes_on_is_followed_up_as_it_is_now_and_that_is_said(cli):
    cli("enqueue", "offer.toml", "--id", "x1", "--hold")
    ended = cli("enqueue", "offer.toml", "--id", "x2", "--from-report", "x1", "--only", "rejected", "--json")
    assert (ended.json["state"], ended.json["rows"]) == ("finished", 0)
    assert ended.err == "x1 is paused: what becomes of its rows from now on is not looked at\n"


MISTAKES = {
    "two sources": (
        ["--from-report", "x1", "--only", "rejected", "--recipients", "people.csv"],
        "--from-report and --recipients both say who the recipients are: give one of them",
    ),
    "nobody chosen": (["--from-report", "x1"], "--from-report x1 needs --only or --code: say whom of it"),
    "an unknown word": (
        ["--from-report", "x1", "--only", "failed"],
        "'failed' is neither an outcome nor a delivery: those are accepted,",
    ),
    "no campaign of that id": (["--from-report", "y1", "--only", "rejected"], "there is no campaign y1"),
    "a choice from nothing": (
        ["--only", "rejected"],
        "--only, --code and --include-unconfirmed choose from the campaign that --from-report names",
    ),
    "itself": (["--from-report", "x1", "--only", "rejected", "--id", "x1"], "x1 can not follow itself"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
@pytest.mark.parametrize("dry", [[], ["--dry-run"]], ids=["", "dry"])
def test_a_follow_up_with(earlier, mistake, dry):
    options, sentence = MISTAKES[mistake]
    ended = earlier("enqueue", "offer.toml", *options, *dry)
    assert (ended.code, ended.out, ended.err.count("\n")) == (2, "", 1)
    assert sentence in ended.err


def test_from_python_the_recipients_of_a_report_are_an_iterable_like_any_other(earlier):
    campaign = Campaign(name="again", accounts=("main",), body="Dear {name}!", to="phone")
    found = enqueue(campaign, recipients_of_report("x1", only=["rejected"], to="phone"), id="x2")
    assert reported(earlier, found) == [("+919000000002", "Bala")]
