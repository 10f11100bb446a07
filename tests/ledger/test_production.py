"""Production's fences: one producer at a time, every stretch once and in order, and nothing is sent before the last."""

import pytest

from config.errors import ConfigError
from worker.intake.batches import prepare
from worker.intake.campaign import Campaign
from worker.intake.readers import rows_from
from worker.ledger import keys
from worker.ledger.production import Continue, Differs, New, Whole, look
from worker.ledger.taking import Stop
from worker.producer import ProductionLost, produce


def test_a_new_campaign_is_producing_and_listed(ledger):
    assert ledger.begin() == New()
    assert ledger.state() == "producing"
    assert ledger.redis.zscore(keys.CAMPAIGNS, "c") == ledger.now
    assert ledger.counts() == {}


def test_an_append_writes_batches_queue_and_counts(ledger):
    ledger.begin()
    assert ledger.append([2, 0, 3], invalid=1, duplicate=4, suppressed=2)
    passed = {"invalid": 1, "duplicate": 4, "suppressed": 2}
    assert ledger.counts() == {"rows": 12, **passed, "queued": 5, "pending": 5, "batches": 2}
    assert ledger.queue() == [1, 3]
    assert [ledger.redis.exists(keys.packed("c", n)) for n in (1, 2, 3, 4)] == [1, 1, 1, 0]
    ledger.lawful()


def test_an_append_repeated_writes_nothing(ledger):
    ledger.begin()
    assert ledger.append([2])
    before = ledger.counts()
    assert not ledger.append([2])
    assert (ledger.counts(), ledger.queue()) == (before, [1])


def test_an_append_that_leaves_a_gap_writes_nothing(ledger):
    ledger.begin()
    assert not ledger.append([2], at=5)
    assert ledger.counts() == {}


def test_a_producer_continues_where_the_other_was_killed(ledger):
    ledger.begin()
    ledger.append([2])
    assert ledger.begin(token="second") == Continue(position=2, digest="d2")
    assert ledger.append([3], token="second", at=2)
    assert ledger.start(token="second", at=5) == "running"
    assert ledger.queue() == [1, 2]


def test_of_two_producers_only_the_newer_writes(ledger):
    ledger.begin(token="first")
    ledger.begin(token="second")
    assert not ledger.append([2], token="first")
    assert ledger.start(token="first") == ""
    ledger.discard(token="first")
    assert ledger.state() == "producing"
    assert ledger.append([2], token="second")


def test_a_campaign_begun_with_another_file_is_not_continued(ledger):
    ledger.begin(token="first")
    assert ledger.begin(token="second", file="other") == Differs()
    assert ledger.append([1], token="first"), "the first one lost its token"


def test_a_whole_campaign_is_never_produced_again(ledger):
    ledger.campaign(2)
    assert ledger.begin(token="second", file="other") == Whole(state="running")
    assert not ledger.append([2], token="second", at=2)
    assert ledger.start(token="second", at=2) == ""
    assert ledger.counts() == {"rows": 2, "queued": 2, "pending": 2, "batches": 1}


def test_production_is_not_whole_at_another_position(ledger):
    ledger.begin()
    ledger.append([2])
    assert ledger.start(at=1) == ""
    assert ledger.state() == "producing"


def test_nothing_is_given_before_production_is_whole(ledger):
    ledger.lane()
    ledger.begin()
    ledger.append([2])
    ledger.resume()
    assert ledger.take() == Stop()
    ledger.start(at=2)
    assert ledger.take_one().batch == 1


def test_a_campaign_with_nothing_to_send_is_finished_at_once(ledger):
    ledger.begin()
    ledger.append([0], invalid=3)
    assert ledger.start(at=3) == "finished"
    assert ledger.redis.zcard(keys.lane_campaigns("main")) == 0
    ledger.lawful()


def test_a_campaign_with_nothing_to_send_is_finished_even_where_it_was_to_wait(ledger):
    ledger.begin()
    assert ledger.start(hold="--hold") == "finished"


def test_a_campaign_that_starts_held_waits_paused_with_the_reason(ledger):
    assert ledger.campaign(1, hold="waits for a word") == "paused"
    assert ledger.fields(keys.campaign("c"))["reason"] == "waits for a word"
    assert ledger.due() is None


def test_a_pause_during_production_holds_the_campaign_when_it_is_whole(ledger):
    ledger.begin()
    assert ledger.pause(reason="not yet") == "producing"
    ledger.append([1])
    assert ledger.start(at=1) == "paused"
    assert ledger.fields(keys.campaign("c"))["reason"] == "not yet"


def test_a_pause_during_production_is_undone_by_resume(ledger):
    ledger.begin()
    ledger.pause()
    assert ledger.resume() == "producing"
    ledger.append([1])
    assert ledger.start(at=1) == "running"


def test_a_cancel_during_production_stops_the_producer_and_counts_what_was_queued(ledger):
    ledger.begin()
    ledger.append([2, 3])
    assert ledger.cancel() == "cancelled"
    assert not ledger.append([1], at=5)
    assert ledger.start(at=5) == ""
    ledger.discard()
    assert ledger.begin(token="second") == Whole(state="cancelled")
    assert ledger.counts() == {"rows": 5, "queued": 5, "cancelled": 5, "batches": 2}
    ledger.lawful()


def test_a_discarded_campaign_leaves_nothing_behind(ledger):
    ledger.begin()
    ledger.append([2, 0, 3], invalid=1)
    ledger.discard()
    assert ledger.redis.keys("*") == []


def test_a_campaign_that_has_started_is_not_discarded(ledger):
    ledger.campaign(2)
    ledger.discard()
    assert ledger.counts()["pending"] == 2


def test_a_look_tells_where_a_production_stands_and_takes_nothing_over(ledger):
    assert look(ledger.redis, "c", file_digest="f") == New()
    ledger.begin(token="t")
    ledger.append([2])
    assert look(ledger.redis, "c", file_digest="f") == Continue(position=2, digest="d2")
    assert look(ledger.redis, "c", file_digest="another") == New()
    assert ledger.append([3], token="t", at=2)
    ledger.start(at=5)
    assert look(ledger.redis, "c", file_digest="f") == New()


CAMPAIGN = Campaign(name="offer", accounts=("main",), body="Hi")


def rows(count, first=1, at_row=None):
    """Recipients; `at_row` is a row and what happens when it is read."""
    for i in range(first, first + count):
        if at_row and i == at_row[0]:
            at_row[1]()
        yield {"to": f"+{919000000000 + i}"}


def test_other_rows_do_not_take_a_production_from_a_producer_that_is_alive(ledger):
    def other_rows():
        with pytest.raises(ConfigError, match="rows are not those with which the production of c was begun"):
            produce(ledger.redis, "c", CAMPAIGN, rows_from(rows(4000, first=7)))

    assert produce(ledger.redis, "c", CAMPAIGN, rows_from(rows(5000, at_row=(4500, other_rows)))).state == "running"
    assert ledger.counts()["queued"] == 5000
    ledger.lawful()


def test_the_same_rows_take_it_over_and_go_on_behind_what_the_first_wrote_last(ledger):
    # The second reads its own first rows while the first still writes.
    first = rows_from(rows(9000, at_row=(4500, lambda: produce(ledger.redis, "c", CAMPAIGN, rows_from(rows(9000))))))
    with pytest.raises(ProductionLost):
        produce(ledger.redis, "c", CAMPAIGN, first)
    assert (ledger.state(), ledger.counts()["queued"]) == ("running", 9000)
    ledger.lawful()


def test_a_production_that_is_discarded_while_another_reads_its_beginning_is_lost_to_it(ledger):
    ledger.begin(file=CAMPAIGN.digest)
    (stretch,) = prepare(rows_from(rows(100)), CAMPAIGN)
    ledger.redis.hset(keys.campaign("c"), mapping={"position": 100, "digest": stretch.digest})
    given = rows_from(rows(200, at_row=(50, ledger.discard)))
    with pytest.raises(ProductionLost):
        produce(ledger.redis, "c", CAMPAIGN, given)
    assert ledger.fields(keys.campaign("c")) == {}
