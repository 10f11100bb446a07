"""`bulksend schedule`: what an operator types, and what a run comes to."""

import json
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from redbeat import RedBeatSchedulerEntry

from config.settings import load_settings
from tasks.recurring import Runner
from worker.beat_entries import _beat_of
from worker.domain.recurrence import Due
from worker.ledger import keys, schedules
from worker.ledger.reading import newest_first, standings

CAMPAIGN = """
    name = "offer"
    accounts = ["main"]
    recipients = "people.csv"
    to = "phone"
    body = "Dear {name}!"
    [schedule]
    cron = "0 11 * * *"
"""


@pytest.fixture
def schedule(cli):
    """`schedule("list")`: the command; offer.toml is added."""
    cli.write("offer.toml", CAMPAIGN)

    def command(*arguments):
        return cli("schedule", *arguments)

    added = command("add", "offer.toml", "--json")
    assert added.code == 0, added.err
    return command


@pytest.fixture
def rewind(cli):
    """Make the schedule's last settled instant lie so long ago."""

    def back(**span):
        done = datetime.now(UTC) - timedelta(**span)
        cli.client.hset(keys.schedule("offer"), "done", round(done.timestamp() * 1e6))

    return back


@pytest.fixture
def runner(cli):
    """Make what a worker would have: `runner(stops)` is told to stop where `stops` says so."""

    def make(is_stopping=lambda: False):
        return Runner(client=cli.client, settings=load_settings(), is_stopping=is_stopping)

    return make


def entry(cli):
    with _beat_of(cli.redis_url) as app:
        return RedBeatSchedulerEntry.from_key("bs:beat:offer", app=app)


def listed(schedule):
    return schedule("list", "--json").json[0]


def test_what_is_added_is_listed_and_is_an_entry_of_celery_beat(cli, schedule):
    document = listed(schedule)
    assert document | {"next_at": None} == {
        "name": "offer", "cron": "0 11 * * *", "timezone": "Asia/Kolkata", "on_missed": "run",
        "recipients": str(cli.directory / "people.csv"), "paused": None, "next_at": None, "last": None, "problem": None,
    }  # fmt: skip
    assert document["next_at"].endswith("T11:00+05:30")
    found = entry(cli)
    assert (found.task, found.args, found.enabled) == ("bulksend.schedule", ["offer"], True)
    assert (found.schedule.minute, found.schedule.hour) == ({30}, {5})
    assert not found.is_due().is_due


def test_adding_again_replaces_and_says_so(cli, schedule):
    cli.write("offer.toml", CAMPAIGN.replace("0 11", "0 12"))
    again = schedule("add", "offer.toml")
    assert (again.code, again.err) == (0, "offer was there and is replaced\n")
    assert entry(cli).schedule.hour == {6}
    assert len(schedule("list", "--json").json) == 1


def test_paused_it_rings_no_more_until_it_is_resumed(cli, schedule, runner, rewind):
    assert "holiday" in schedule("pause", "offer", "--why", "holiday", "--json").json["paused"]
    assert not entry(cli).enabled
    rewind(days=1)
    runner().answer("offer")
    assert schedule("add", "offer.toml").err == "offer was there and is replaced; it is still paused\n"
    assert schedule("resume", "offer", "--json").json["paused"] is None
    assert entry(cli).enabled
    runner().answer("offer")
    assert newest_first(cli.client) == []


def test_removed_it_leaves_nothing_behind(cli, schedule):
    assert schedule("remove", "offer", "--json").json == {"name": "offer", "removed": True}
    assert cli.client.keys("bs:schedule*") + cli.client.keys("bs:beat:*") == []
    assert schedule("list").out == "there are no schedules\n"


@pytest.mark.parametrize("word", ["pause", "resume", "remove", "run"])
def test_a_name_that_is_not_there_is_wrong_input(schedule, word):
    ended = schedule(word, "ofer")
    assert (ended.code, ended.err) == (2, 'there is no schedule ofer; did you mean "offer"?\n')


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        (
            *('[schedule]\n    cron = "0 11 * * *"', ""),
            'offer.toml: has no [schedule]: give it one, with cron = "0 11 * * 1-5"',
        ),
        ("people.csv", "-", 'offer.toml: "recipients" should be a file: nobody is at standard input when a run is due'),
        ("people", "{day}", 'offer.toml: "recipients" has {day}: a path may hold {date} and {time}'),
        ('["main"]', '["other"]', "accounts.toml: there is no account other, which campaign offer names"),
    ],
)  # fmt: skip
def test_what_could_never_run_is_refused_when_it_is_added(cli, old, new, sentence):
    cli.write("offer.toml", CAMPAIGN.replace(old, new))
    ended = cli("schedule", "add", "offer.toml")
    assert (ended.code, ended.err) == (2, sentence + "\n")
    assert cli.client.keys("*") == []


def test_a_run_that_is_due_is_queued_once_however_often_the_bell_rings(cli, schedule, runner, rewind):
    rewind(days=1)
    for _ in range(3):
        runner().answer("offer")
    (campaign,) = newest_first(cli.client)
    last = listed(schedule)["last"]
    assert (last["id"], last["outcome"], last["state"]) == (campaign, "started", "running")
    assert last["due_at"].endswith("T11:00+05:30")
    (standing,) = standings(cli.client, [campaign])
    assert (standing.rows, standing.queued) == (5, 3)


def test_the_path_is_filled_with_the_due_date_of_the_schedules_zone(cli, schedule, runner, rewind):
    cli.write("offer.toml", CAMPAIGN.replace("people.csv", "people-{date}-{time}.csv"))
    schedule("add", "offer.toml")
    rewind(days=1)
    due = datetime.now(ZoneInfo("Asia/Kolkata"))
    due -= timedelta(days=due.hour < 11)
    cli.write(f"people-{due:%Y-%m-%d}-1100.csv", "phone,name\n+919000000001,Asha\n")
    runner().answer("offer")
    assert listed(schedule)["last"]["state"] == "running"


def test_a_missing_file_is_a_failed_run_in_the_list_and_a_run_by_hand_mends_it(cli, schedule, runner, rewind):
    (cli.directory / "people.csv").rename(cli.directory / "late.csv")
    rewind(days=1)
    for _ in range(2):
        runner().answer("offer")
    last = listed(schedule)["last"]
    assert last["outcome"] == "failed"
    assert last["reason"].startswith(f"{cli.directory}/people.csv: No such file or directory")
    assert "people.csv: No such file" in schedule("list").out
    ended = schedule("run", "offer")
    assert ended.code == 1
    (cli.directory / "late.csv").rename(cli.directory / "people.csv")
    mended = schedule("run", "offer", "--json")
    assert mended.code == 0
    assert (mended.json["last"]["id"], mended.json["last"]["state"]) == (last["id"], "running")


@pytest.mark.parametrize(
    ("file", "content", "words"),
    [
        ("people.csv", "tel,name\n+919000000001,Asha\n", '"phone"'),
        ("accounts.toml", "[accounts.spare]\n", "accounts.toml: "),
    ],
)
def test_input_that_is_wrong_by_then_is_a_failed_run_in_the_list(cli, schedule, runner, rewind, file, content, words):
    cli.write(file, content)
    rewind(days=1)
    runner().answer("offer")
    assert listed(schedule)["last"]["outcome"] == "failed"
    assert words in listed(schedule)["last"]["reason"]


def test_a_run_that_was_broken_off_is_gone_on_with_under_the_same_id(cli, schedule, runner, rewind):
    cli.write("people.csv", "phone,name\n" + "".join(f"+91900{n:07},P{n}\n" for n in range(5000)))
    rewind(days=1)
    looks = iter([False] * 2)  # when it begins, and after its first rows
    runner(lambda: next(looks, True)).answer("offer")
    last = listed(schedule)["last"]
    assert (last["outcome"], last["state"]) == ("interrupted", "producing")
    assert last["reason"].startswith("the process that produced it stopped")
    runner().answer("offer")
    assert listed(schedule)["last"] | {"reason": None} == last | {
        "outcome": "started",
        "state": "running",
        "reason": None,
    }
    (standing,) = standings(cli.client, newest_first(cli.client))
    assert (standing.queued, standing.duplicate) == (5000, 0)


def test_with_skip_a_run_that_was_missed_is_passed_over_and_said_so(cli, schedule, runner, rewind):
    cli.write("offer.toml", CAMPAIGN.replace('cron = "0 11 * * *"', 'cron = "0 0 1 1 *"\n    on_missed = "skip"'))
    schedule("add", "offer.toml")
    rewind(days=366 * 2)
    runner().answer("offer")
    last = listed(schedule)["last"]
    assert (last["outcome"], last["reason"]) == ("skipped", "2 runs were missed, and passed over")
    assert newest_first(cli.client) == []


def test_run_by_hand_queues_a_run_of_this_minute(cli, schedule):
    before = datetime.now(UTC).replace(second=0, microsecond=0)
    ended = schedule("run", "offer", "--json")
    minutes = [Due(at=at, zone=ZoneInfo("Asia/Kolkata")) for at in (before, before + timedelta(minutes=1))]
    assert ended.json["last"]["id"] in {minute.run_id("offer") for minute in minutes}
    assert ended.json["last"]["state"] == "running"


def test_while_another_has_the_run_one_by_hand_is_not_begun(cli, schedule):
    now = schedules.server_time(cli.client).replace(second=0, microsecond=0)
    schedules.claim(cli.client, "offer", now, "other", by="hand")
    ended = schedule("run", "offer")
    assert ended.code == 1
    assert ended.err.endswith("offer: another process is at work on a run of it; see 'schedule list'\n")
    assert listed(schedule)["last"]["outcome"] == "producing"


def test_removing_it_cancels_a_run_that_is_only_half_queued(cli, schedule, runner, rewind):
    cli.write("people.csv", "phone,name\n" + "".join(f"+91900{n:07},P{n}\n" for n in range(5000)))
    rewind(days=1)
    looks = iter([False] * 2)
    runner(lambda: next(looks, True)).answer("offer")
    assert "was still being queued and is cancelled" in schedule("remove", "offer").err
    (standing,) = standings(cli.client, newest_first(cli.client))
    assert standing.state == "cancelled"


def test_a_schedule_of_another_version_is_a_problem_in_the_list(cli, schedule):
    cli.client.hset(keys.schedule("offer"), "doc", json.dumps({"name": "offer", "what": 1}))
    assert listed(schedule)["problem"] == "schedule offer was added by another version: add it again"
    assert schedule("list").code == 0


def test_enqueue_sends_such_a_campaign_once_and_says_how_it_recurs(cli):
    today = datetime.now(ZoneInfo("Asia/Kolkata"))
    cli.write("offer.toml", CAMPAIGN.replace("people.csv", "people-{date}.csv"))
    cli.write(f"people-{today:%Y-%m-%d}.csv", "phone,name\n+919000000001,Asha\n")
    ended = cli("enqueue", "offer.toml", "--json")
    assert (ended.code, ended.json["queued"]) == (0, 1)
    assert "offer.toml has a [schedule]: here it is sent once, now; it recurs with\n" in ended.err
    assert cli("schedule", "list", "--json").json == []
