"""The table [schedule] of a campaign file: what is wrong with it is one sentence that names the field."""

import pytest

from config.errors import ConfigError
from worker.intake.campaign import Campaign
from worker.intake.campaign_file import load_campaign

BASE = 'name = "offer"\naccounts = ["main"]\nbody = "Hello"\n'


@pytest.fixture
def load(tmp_path):
    def read(text):
        file = tmp_path / "offer.toml"
        file.write_text(BASE + text)
        return load_campaign(file)

    return read


def test_the_zone_is_the_campaigns_unless_the_table_has_one(load):
    assert load('timezone = "Europe/London"\n[schedule]\ncron = "0 9 * * *"').due_times.zone.key == "Europe/London"
    own = load('timezone = "Europe/London"\n[schedule]\ncron = "0 9 * * *"\ntimezone = "Asia/Dubai"')
    assert own.due_times.zone.key == "Asia/Dubai"
    assert load("").due_times is None


def test_a_schedule_survives_being_stored(load):
    campaign = load('[schedule]\ncron = "0 11 * * MON-FRI"\non_missed = "skip"')
    assert Campaign.from_json(campaign.to_json()) == campaign
    assert campaign.schedule.on_missed == "skip"
    assert campaign.due_times.weekdays == {1, 2, 3, 4, 5}


RANGE = ", *, a range, a step, or a list of them"
MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec"


@pytest.mark.parametrize(
    ("cron", "sentence"),
    [
        ("60 * * * *", f'minute "60", which should be 0 to 59{RANGE}'),
        ("0 24 * * *", f'hour "24", which should be 0 to 23{RANGE}'),
        ("0 mon * * *", f'hour "mon", which should be 0 to 23{RANGE}'),
        ("*/0 * * * *", f'minute "*/0", which should be 0 to 59{RANGE}'),
        ("1-5!x * * * *", f'minute "1-5!x", which should be 0 to 59{RANGE}'),
        ("1,,2 * * * *", f'minute "1,,2", which should be 0 to 59{RANGE}'),
        ("0 0 0 * *", f'day of the month "0", which should be 1 to 31{RANGE}'),
        ("0 0 * sun *", f'month "sun", which should be 1 to 12 (or {MONTHS}){RANGE}'),
        ("0 0 * * 7", f'day of the week "7", which should be 0 to 6 (or sun mon tue wed thu fri sat){RANGE}'),
    ],
)
def test_a_bad_field_is_named_with_what_it_may_hold(load, cron, sentence):
    with pytest.raises(ConfigError) as error:
        load(f'[schedule]\ncron = "{cron}"')
    assert str(error.value).endswith(f'offer.toml: "schedule.cron" has {sentence}')


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            '[schedule]\ncron = "0 11 * *"',
            'should have five fields, like "0 11 * * 1-5": minute, hour, day of the month, month, day of the week',
        ),
        ('[schedule]\ncron = "@daily"', '"schedule.cron" should have five fields'),
        ('[schedule]\ncron = "0 0 31 2,4 *"', '"schedule.cron" is never due: no year has the days of "0 0 31 2,4 *"'),
        ("[schedule]\ncron = 5", '"schedule.cron" should be text in quotes'),
        ("[schedule]", '"schedule.cron" is missing'),
        ("schedule = 5", '"schedule" should be a table'),
        (
            '[schedule]\ncron = "0 1 * * *"\non_mised = "run"',
            '"schedule.on_mised" is not a key of [schedule]; did you mean "on_missed"?',
        ),
        ('[schedule]\ncron = "0 1 * * *"\non_missed = "no"', "\"schedule.on_missed\" should be 'run' or 'skip'"),
        (
            '[schedule]\ncron = "0 1 * * *"\ntimezone = "Mars"',
            '"schedule.timezone" should be a zone like "Asia/Kolkata"',
        ),
        (
            'start_at = 2026-11-22T10:00:00+05:30\n[schedule]\ncron = "0 1 * * *"',
            '"start_at" is one instant: a campaign with [schedule] has no such key',
        ),
        (
            'expires_at = 2026-11-22T10:00:00+05:30\n[schedule]\ncron = "0 1 * * *"',
            '"expires_at" is one instant: a campaign with [schedule] has no such key',
        ),
    ],
)
def test_what_is_wrong_is_one_sentence(load, text, sentence):
    with pytest.raises(ConfigError) as error:
        load(text)
    assert sentence in str(error.value)
