"""Whom a follow-up takes from an earlier campaign, on one that the ledger's own scripts have moved."""

import pytest

from config.errors import ConfigError
from worker.follow_up import KINDS, choose, chosen, open_report
from worker.intake.batches import prepare
from worker.intake.campaign import Campaign
from worker.intake.readers import rows_from
from worker.producer import produce

ROWS = {
    # row of the earlier campaign: what became of it
    1: ("accepted", "awaiting"),
    2: ("rejected", None),
    3: ("unconfirmed", None),
    4: ("accepted", "undelivered"),
    5: ("accepted", "delivered"),
    6: ("accepted", "undelivered"),
    7: ("pending", None),
    8: ("pending", None),
}


@pytest.fixture
def earlier(ledger):
    ledger.campaign(6, 2)
    ledger.lane(call_us=1000)
    ledger.settle(ledger.next_one(), "aruaaa")
    ledger.report("failed", row=4, code="23035")
    ledger.report("delivered", row=5, code="20005")
    ledger.report("failed", row=6, code="23005")
    assert [(row.outcome, row.delivery) for row in ledger.rows()] == list(ROWS.values())
    return ledger


def of(earlier, only=(), codes=(), unconfirmed="passed over"):
    """The rows chosen, and how many were passed over."""
    told = []
    choice = choose("c", only, codes, unconfirmed)
    found = list(chosen(earlier.redis, choice, to="to", at_end=told.append))
    return [int(each["to"]) % 100 for each in found], *told


@pytest.mark.parametrize(
    ("only", "codes", "rows", "passed_over"),
    [
        (["undelivered"], [], [4, 6], 1),
        (["undelivered"], ["23035"], [4], 0),
        (["undelivered"], ["23035", "23005"], [4, 6], 0),
        ([], ["23010"], [2], 0),
        (["rejected", "awaiting"], [], [1, 2], 1),
        (["accepted"], [], [1, 4, 5, 6], 1),
        (["accepted"], ["23010"], [], 0),
        (["pending"], [], [7, 8], 1),
        (["unconfirmed"], [], [], 1),
    ],
)
def test_rows_are_chosen_by_outcome_or_delivery_and_by_code(earlier, only, codes, rows, passed_over):
    assert of(earlier, only, codes) == (rows, passed_over)


@pytest.mark.parametrize("only", [["undelivered"], ["undelivered", "unconfirmed"]])
def test_the_unconfirmed_are_taken_only_where_that_is_asked_for(earlier, only):
    assert of(earlier, only) == ([4, 6], 1)
    assert of(earlier, only, unconfirmed="taken") == ([3, 4, 6], 0)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_chooses_the_rows_of_which_the_report_says_it(earlier, kind):
    expected = [row for row, said in ROWS.items() if kind in said]
    assert of(earlier, [kind], unconfirmed="taken")[0] == sorted({*expected, 3})


@pytest.mark.parametrize(
    ("only", "codes", "words"),
    [
        (["undelivred"], [], "'undelivred' is neither an outcome nor a delivery: those are accepted, rejected,"),
        ([], [], "a follow-up of c needs an outcome, a delivery or a code: say whom of it"),
    ],
)
def test_a_choice_that_is_none_is_refused(only, codes, words):
    with pytest.raises(ConfigError) as caught:
        choose("c", only, codes, "passed over")
    assert str(caught.value).startswith(words)


def test_rows_come_with_their_own_columns_and_the_number_where_the_new_campaign_looks_for_it(earlier):
    choice = choose("c", ["rejected"], [], "passed over")
    assert list(chosen(earlier.redis, choice, to="to")) == [{"to": "+919000000002"}]
    assert list(chosen(earlier.redis, choice, to="phone")) == [{"to": "9000000002", "phone": "+919000000002"}]


def test_another_default_country_does_not_turn_a_number_into_a_strangers(ledger):
    rows = rows_from([{"to": "6502530000"}, {"to": "16502530000"}, {"to": "112"}])
    produce(ledger.redis, "c", Campaign(name="first", accounts=("main",), body="Hi", default_country="US"), rows)
    choice = choose("c", ["pending", "duplicate", "invalid"], [], "passed over")
    assert [each["to"] for each in chosen(ledger.redis, choice, to="to")] == ["+16502530000", "+16502530000", "112"]
    again = Campaign(name="again", accounts=("main",), body="Hi")
    with open_report(ledger.redis, choice, to=again.to) as found:
        (stretch,) = prepare(found, again)
    assert stretch.content.numbers == (16502530000,)


def test_another_number_in_the_column_of_the_new_campaign_is_meant(ledger):
    rows = rows_from([{"to": "9000000001", "home": "9000000002"}, {"to": "9000000003", "home": ""}])
    produce(ledger.redis, "c", Campaign(name="first", accounts=("main",), body="Hi"), rows)
    choice = choose("c", ["pending"], [], "passed over")
    assert [each["home"] for each in chosen(ledger.redis, choice, to="home")] == ["9000000002", "+919000000003"]


def test_they_are_produced_like_a_files_and_the_header_is_that_of_all_rows(earlier):
    choice = choose("c", ["undelivered"], [], "passed over")
    campaign = Campaign(name="again", accounts=("main",), body="Dear {to}", to="phone")
    with open_report(earlier.redis, choice, to=campaign.to) as rows:
        assert (rows.name, rows.columns, rows.notes) == ("the report of c", ("to", "phone"), [])
        (stretch,) = prepare(rows, campaign)
    assert stretch.content.numbers == (919000000004, 919000000006)
    assert rows.notes == [
        (
            "1 unconfirmed of c passed over: they may have been messaged already, "
            "and resolve or --include-unconfirmed decides about them"
        )
    ]
    other = campaign.model_copy(update={"body": "Dear {name}"})
    with open_report(earlier.redis, choice, to=campaign.to) as rows, pytest.raises(ConfigError) as caught:
        prepare(rows, other)
    assert str(caught.value) == 'the report of c: there is no column "name"'


def test_the_same_choice_gives_the_same_rows_until_the_earlier_campaign_changes(earlier):
    def digest():
        rows = open_report(earlier.redis, choose("c", ["undelivered"], [], "passed over"), to="to")
        (stretch,) = prepare(rows, Campaign(name="again", accounts=("main",), body="Hi"))
        return stretch.digest

    before = digest()
    assert digest() == before
    earlier.report("failed", row=1, code="23035")
    assert digest() != before
