"""The stream of reports on the real server: nothing is lost between a reader that dies and the next."""

from datetime import UTC, datetime

import pytest
import redis

from worker.ledger import inbox, keys
from worker.ledger.errors import LedgerBroken, LedgerUnavailable
from worker.ledger.inbox import Posted, append_reports, done, keep_unreadable, read_reports, unreadable, waiting

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)


def posted(i=0, body=None):
    return Posted(account="main", campaign="c", batch=i, body=f"body {i}".encode() if body is None else body)


def append(ledger, *bodies):
    ledger.run(append_reports(ledger.aredis, bodies))


def leave_lying(ledger, consumer, ids):
    """Make it so long ago that the consumer read them."""
    ledger.redis.xclaim(
        keys.REPORTS, inbox.GROUP, consumer, min_idle_time=0, message_ids=ids, idle=inbox.TAKEN_OVER_MS, justid=True
    )


def test_what_was_posted_is_read_as_it_was_and_in_its_order(ledger):
    bodies = [posted(1, b"\x00\xff\r\n"), posted(2, b""), Posted(account="a", campaign="", batch=0, body=b"x")]
    append(ledger, *bodies)
    assert [raw.posted for raw in read_reports(ledger.redis, "w", 10)] == bodies


def test_reading_an_empty_inbox_finds_nothing_and_makes_the_group(ledger):
    assert read_reports(ledger.redis, "w", 10) == []
    append(ledger, posted())
    assert len(read_reports(ledger.redis, "w", 10)) == 1


def test_a_group_that_vanished_with_its_stream_is_made_again(ledger):
    read_reports(ledger.redis, "w", 10)
    ledger.redis.delete(keys.REPORTS)
    append(ledger, posted(1))
    assert [raw.posted.batch for raw in read_reports(ledger.redis, "w", 10)] == [1]


def test_two_readers_never_have_the_same_entry(ledger):
    append(ledger, *map(posted, range(5)))
    first, second = read_reports(ledger.redis, "a", 3), read_reports(ledger.redis, "b", 3)
    assert [raw.posted.batch for raw in first + second] == [0, 1, 2, 3, 4]
    assert read_reports(ledger.redis, "c", 3) == []


def test_what_a_dead_reader_left_is_read_before_anything_new(ledger):
    append(ledger, *map(posted, range(3)))
    left = read_reports(ledger.redis, "dead", 2)
    leave_lying(ledger, "dead", [raw.id for raw in left])
    append(ledger, posted(3))
    assert [raw.posted.batch for raw in read_reports(ledger.redis, "w", 3)] == [0, 1, 2]
    assert [raw.posted.batch for raw in read_reports(ledger.redis, "w", 3)] == [3]


def test_what_lies_behind_many_entries_that_others_are_at_is_found(ledger):
    append(ledger, *map(posted, range(25)))
    ids = [raw.id for raw in read_reports(ledger.redis, "busy", 25)]
    leave_lying(ledger, "busy", ids[-1:])
    assert [raw.posted.batch for raw in read_reports(ledger.redis, "w", 1)] == [24]


def test_what_is_done_is_gone_and_may_be_done_again(ledger):
    append(ledger, *map(posted, range(3)))
    ids = [raw.id for raw in read_reports(ledger.redis, "w", 2)]
    for _ in range(2):
        done(ledger.redis, ids)
        assert waiting(ledger.redis) == 1
    done(ledger.redis, [])
    assert ledger.redis.xpending(keys.REPORTS, inbox.GROUP)["pending"] == 0


def test_an_entry_that_was_deleted_while_somebody_had_it_is_passed_over(ledger):
    append(ledger, posted(1), posted(2))
    ids = [raw.id for raw in read_reports(ledger.redis, "dead", 2)]
    leave_lying(ledger, "dead", ids)
    ledger.redis.xdel(keys.REPORTS, ids[0])
    assert [raw.posted.batch for raw in read_reports(ledger.redis, "w", 2)] == [2]


def test_nothing_is_waiting_where_nothing_came(ledger):
    assert waiting(ledger.redis) == 0


@pytest.mark.parametrize("waits", [False, True])
def test_the_beginnings_of_the_latest_hundred_unreadable_bodies_are_kept(ledger, waits):
    for i in range(inbox.MOST_UNREADABLE + 5):
        body = posted(i, b"\xff" * 5000)
        if waits:
            ledger.run(inbox.akeep_unreadable(ledger.aredis, body, NOW))
        else:
            keep_unreadable(ledger.redis, body, NOW)
    found = unreadable(ledger.redis)
    assert len(found) == inbox.MOST_UNREADABLE
    assert found[0] == b"2026-11-22T10:00:00+00:00 main c 104\n" + b"\xff" * 2048


def test_an_unreadable_body_of_an_accounts_own_url_names_no_campaign(ledger):
    keep_unreadable(ledger.redis, Posted(account="main", campaign="", batch=0, body=b"?"), NOW)
    assert unreadable(ledger.redis) == [b"2026-11-22T10:00:00+00:00 main - 0\n?"]


def test_no_repr_shows_a_body(ledger):
    append(ledger, posted(body=b"hunter2"))
    assert "hunter2" not in repr(read_reports(ledger.redis, "w", 1))


def test_a_key_of_another_kind_is_said_to_be_broken(ledger):
    ledger.redis.set(keys.REPORTS, "x")
    for step in (lambda: append(ledger, posted()), lambda: read_reports(ledger.redis, "w", 1)):
        with pytest.raises(LedgerBroken, match="WRONGTYPE"):
            step()


def test_a_server_that_is_away_is_said_to_be():
    with redis.Redis(port=9, socket_timeout=1) as away, pytest.raises(LedgerUnavailable):
        read_reports(away, "w", 1)
