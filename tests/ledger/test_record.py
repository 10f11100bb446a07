"""The per-recipient record and the audit, on campaigns that the ledger's own scripts have moved."""

import asyncio
import itertools
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from worker.domain.answers import Accepted, Rejected, Unconfirmed
from worker.domain.content import BatchContent, Passed
from worker.domain.ids import AccountName, AttemptId, CampaignId, Owner
from worker.ledger import keys
from worker.ledger.audit import TRIES, audit
from worker.ledger.connection import connect, connect_async
from worker.ledger.errors import LedgerBroken
from worker.ledger.operating import cancel, pause, resume
from worker.ledger.outcomes import Outcomes
from worker.ledger.packing import pack
from worker.ledger.production import Stretch, append, begin, start
from worker.ledger.reading import standings
from worker.ledger.record import FIELDS, OUTCOMES, own_names, report_columns, report_rows
from worker.ledger.seats import Ceiling, announce, take_seat
from worker.ledger.settling import Verdict, give_back, settle
from worker.ledger.stored import AT_ONCE, NO_ANSWER
from worker.ledger.sweeping import sweep
from worker.ledger.taking import Batches, Intent, take

ID = CampaignId("c1")
MAIN = AccountName("main")
OWNER = Owner("host-1-aa")
INTENT = Intent(lookahead_us=60_000_000, lead_us=0, expiry_us=40_000_000, confirm=False, replicas=0)
SENT_AT = datetime(2026, 11, 22, 4, 30, 0, 250_000, UTC)


class Book:
    """A campaign, moved by the scripts as production, workers and the sweep would."""

    def __init__(self, url):
        self.url, self.client = url, connect(url)
        self.attempts, self.rows, self.held = itertools.count(), 0, []

    def queue(self, *stretches, whole=True):
        """Append stretches of messages; each is a number of messages, or a list of outcomes of its rows."""
        begin(self.client, ID, token="t", file_digest="f", doc="{}", name="c", accounts=["main"])
        for stretch in stretches:
            content = self._content([None] * stretch if isinstance(stretch, int) else stretch)
            passed = [row.outcome for row in content.passed]
            position = self.rows
            self.rows += len(content.rows) + len(passed)
            assert append(
                self.client,
                ID,
                token="t",
                position=position,
                new_position=self.rows,
                digest="d",
                invalid=passed.count("invalid"),
                duplicate=passed.count("duplicate"),
                suppressed=passed.count("suppressed"),
                stretches=[Stretch(messages=len(content.rows), packed=pack(content))],
            )
        return start(self.client, ID, token="t", position=self.rows) if whole else "producing"

    def _content(self, rows):
        numbered = list(enumerate(rows, self.rows + 1))
        queued = [number for number, outcome in numbered if outcome is None]
        passed = (
            Passed(row=number, outcome=outcome, to="?", reason="why", values=("?", None))
            for number, outcome in numbered
            if outcome is not None
        )
        return BatchContent(
            columns=("to", "name"),
            rows=tuple(queued),
            numbers=tuple(919_000_000_000 + number for number in queued),
            values=tuple([f"90000 {number:05}", f"P{number}"] for number in queued),
            passed=tuple(passed),
        )

    def _do(self, step):
        async def run():
            async with connect_async(self.url) as client:
                return await step(client)

        return asyncio.run(run())

    def take(self):
        async def step(client):
            await announce(client, OWNER, {MAIN: Ceiling(call_us=1000, message_us=0, concurrency=1000)})
            await take_seat(client, MAIN, OWNER)
            return await take(client, MAIN, OWNER, [AttemptId(f"attempt-{next(self.attempts)}")], INTENT)

        turn = self._do(step)
        if isinstance(turn, Batches):
            self.held += turn.taken
            return turn.taken[0]
        return None

    def settle(self, taken, *outcomes):
        told = Outcomes(sent_at=SENT_AT.timestamp(), messages=outcomes)
        return self._do(lambda client: settle(client, MAIN, taken, told, Verdict(kind="ok")))

    def give_back(self, taken, kind="throttled"):
        return self._do(lambda client: give_back(client, MAIN, taken, Verdict(kind=kind), spread=0.0))

    def expire(self):
        """Let the sweep come when everything that is sending has expired."""
        self.client.delete(keys.CLOCK)
        later = int((datetime.now(UTC).timestamp() + 3600) * 1e6)
        return self._do(lambda client: sweep(client, OWNER, now=later))

    def lines(self):
        return list(report_rows(self.client, ID))

    def audit(self):
        return audit(self.client, ID)


@pytest.fixture
def book(redis_url):
    book = Book(redis_url)
    yield book
    book.client.close()


def test_each_row_has_one_line_in_the_order_of_the_input(book):
    book.queue([None, "invalid", None, "duplicate"], ["invalid"], 2)
    taken = book.take()
    book.settle(taken, Accepted(gateway_id="g1", code="21010"), Rejected(code="23010", reason="FAILED_INVALID"))
    lines = book.lines()
    assert [line.row for line in lines] == [1, 2, 3, 4, 5, 6, 7]
    fields = [dict(zip(FIELDS, line, strict=False)) for line in lines]
    nothing = dict.fromkeys(FIELDS)
    assert fields[0] == nothing | {
        "row": 1,
        "to": "+919000000001",
        "outcome": "accepted",
        "code": "21010",
        "account": "main",
        "gateway_id": "g1",
        "batch": 1,
        "attempts": 1,
        "sent_at": "2026-11-22T04:30:00.250+00:00",
        "delivery": "awaiting",
    }
    assert fields[1] == nothing | {"row": 2, "to": "?", "outcome": "invalid", "reason": "why", "attempts": 0}
    assert (lines[2].outcome, lines[2].code, lines[2].reason) == ("rejected", "23010", "FAILED_INVALID")
    assert (lines[2].gateway_id, lines[2].delivery) == (None, None)
    assert fields[3] == nothing | {"row": 4, "to": "?", "outcome": "duplicate", "reason": "why", "attempts": 0}
    assert fields[5] == nothing | {
        "row": 6,
        "to": "+919000000006",
        "outcome": "pending",
        "batch": 3,
        "attempts": 0,
    }
    assert (lines[5].columns, lines[5].values) == (("to", "name"), ["90000 00006", "P6"])


def test_a_batch_on_the_wire_is_in_flight(book):
    book.queue(2)
    book.take()
    line = book.lines()[0]
    assert (line.outcome, line.account, line.attempts, line.sent_at) == ("in_flight", "main", 1, None)


def test_a_batch_whose_worker_vanished_is_unconfirmed_since_its_slot(book):
    book.queue(2)
    taken = book.take()
    assert book.expire().expired == 1
    slot = datetime.fromtimestamp(taken.slot_us / 1e6, UTC).isoformat(timespec="milliseconds")
    for line in book.lines():
        assert (line.outcome, line.reason, line.account, line.sent_at) == ("unconfirmed", NO_ANSWER, "main", slot)
    assert book.audit() == ()


def test_a_late_answer_replaces_the_expiry_in_the_record(book):
    book.queue(2)
    taken = book.take()
    book.expire()
    assert book.settle(taken, Accepted(gateway_id="g"), Unconfirmed(reason="no id", code="7")) == "late"
    assert [(line.outcome, line.code, line.reason) for line in book.lines()] == [
        ("accepted", None, None),
        ("unconfirmed", "7", "no id"),
    ]
    assert book.audit() == ()


def test_what_waited_in_a_cancelled_campaign_is_cancelled(book):
    book.queue(1, 1, 1)
    taken = book.take()
    cancel(book.client, ID, "by me")
    assert [line.outcome for line in book.lines()] == ["in_flight", "cancelled", "cancelled"]
    book.give_back(taken)
    assert [line.outcome for line in book.lines()] == ["cancelled", "cancelled", "cancelled"]
    assert book.audit() == ()


def test_the_record_of_many_stretches_is_read_in_several_round_trips(book):
    book.queue(*[1] * (2 * AT_ONCE + 1))
    assert [line.row for line in book.lines()] == list(range(1, 2 * AT_ONCE + 2))


def test_the_columns_of_a_report_are_those_of_all_stretches(book):
    book.queue(1)
    other = BatchContent(columns=("name", "city"), rows=(), numbers=(), values=(), passed=())
    book.client.set(keys.packed(ID, 2), pack(other))
    book.client.hset(keys.campaign(ID), "stretches", 2)
    assert report_columns(book.client, ID) == ("to", "name", "city")


@pytest.mark.parametrize(
    ("columns", "names"),
    [
        (["phone", "name"], ["phone", "name"]),
        (["to", "code"], ["in_to", "in_code"]),
        (["to", "in_to"], ["in_to", "in_in_to"]),
        (["in_to", "to"], ["in_to", "in_in_to"]),
    ],
)
def test_a_column_that_clashes_is_renamed_to_a_name_that_is_free(columns, names):
    assert own_names(columns) == names


def test_a_batch_that_redis_lost_or_damaged_is_an_error_in_words(book):
    book.queue(1)
    book.client.set(keys.packed(ID, 1), b"\0")
    with pytest.raises(LedgerBroken, match="batch 1 of c1"):
        book.lines()
    book.client.delete(keys.packed(ID, 1))
    with pytest.raises(LedgerBroken, match="batch 1 of c1 is not in Redis any more"):
        book.lines()


def test_outcomes_that_can_not_be_read_are_an_error_in_words(book):
    book.queue(1)
    book.settle(book.take(), Accepted(gateway_id="g"))
    book.client.set(keys.outcomes(ID, 1), b"x")
    with pytest.raises(LedgerBroken, match="outcomes of batch 1 of c1"):
        book.lines()


@pytest.fixture
def divided(ledger):
    """A campaign of one batch of five: divided, its first half resent, and that resend divided too."""
    ledger.lane()
    ledger.campaign(5, 1, on_unconfirmed="resend")
    ledger.refuse(ledger.take_one())
    ledger.settle(ledger.next_one(), "a")
    ledger.settle(ledger.next_one(), "uu", "lost")
    ledger.resend(3)
    ledger.settle(ledger.next_one(), "aur")
    ledger.refuse(ledger.next_one())
    return ledger


def test_a_message_that_moved_and_moved_again_stands_once_with_its_last_batch(divided):
    assert divided.queue() == [6, 7]
    ends = [("accepted", 4, 1), ("unconfirmed", 4, 1), ("rejected", 4, 1), ("accepted", 2, 1)]
    lines = [(line.outcome, line.batch, line.attempts) for line in report_rows(divided.redis, "c")]
    assert lines == [("pending", 6, 1), ("pending", 7, 1), *ends]
    assert audit(divided.redis, "c") == ()
    divided.resend(4)
    divided.settle(divided.next_one(), "a")
    lines = [(line.outcome, line.batch, line.attempts) for line in report_rows(divided.redis, "c")]
    assert lines == [("accepted", 6, 2), ("pending", 7, 1), ends[0], ("pending", 8, 1), *ends[2:]]
    assert audit(divided.redis, "c") == ()


def test_a_batch_that_moved_and_is_missing_damaged_or_queued_twice_is_found(divided):
    divided.redis.rpush(keys.queue("c"), 7)
    assert audit(divided.redis, "c") == ("the queue has 3 batches, but 2 wait: each must stand there exactly once",)
    divided.redis.lrem(keys.queue("c"), 0, 7)
    assert audit(divided.redis, "c") == ("the queue has 1 batches, but 2 wait: each must stand there exactly once",)
    divided.redis.rpush(keys.queue("c"), 7)
    divided.redis.set(keys.packed("c", 7), b"x")
    assert "batch 7 of c: not the content of a batch, or damaged" in audit(divided.redis, "c")
    divided.redis.delete(keys.packed("c", 7))
    assert "batch 7 of c is not in Redis any more" in audit(divided.redis, "c")


def test_messages_that_no_batch_has_after_they_moved_are_found(divided):
    divided.redis.hset(keys.batch_state("c", 5), "children", "6")
    assert audit(divided.redis, "c") == (
        "pending is 2 in the campaign, but 1 in the record of its recipients",
        "queued is 6 in the campaign, but 5 in the record of its recipients",
        "the queue has 2 batches, but 1 wait: each must stand there exactly once",
    )


def test_an_unknown_campaign_is_a_difference(book):
    assert book.audit() == ("the ledger has no campaign c1",)


@pytest.mark.parametrize(
    "counter", ["rows", "queued", "invalid", "duplicate", "suppressed", "pending", "in_flight", *OUTCOMES[:3]]
)
def test_a_counter_that_is_off_by_one_is_found(book, counter):
    book.queue([None, None, "invalid"], 1)
    book.settle(book.take(), Accepted(gateway_id="g"), Rejected(code="1", reason="no"))
    assert book.audit() == ()
    right = int(book.client.hget(keys.campaign(ID), counter))
    book.client.hincrby(keys.campaign(ID), counter, 1)
    said = f"{counter} is {right + 1} in the campaign, but {right} in the record of its recipients"
    assert said in book.audit()
    assert any(" + " in words for words in book.audit())  # the law is broken too


def test_a_count_of_refusals_that_is_off_is_found(book):
    book.queue(1)
    book.settle(book.take(), Rejected(code="1", reason="no"))
    book.client.hincrby(keys.codes(ID), "1 no", 1)
    assert book.audit() == ("1 no is 2 in the campaign, but 1 in the record of its recipients",)


def test_a_batch_that_is_missing_or_queued_twice_is_found(book):
    book.queue(1, 1)
    book.client.rpush(keys.queue(ID), 2)
    assert book.audit() == ("the queue has 3 batches, but 2 wait: each must stand there exactly once",)
    book.client.lrem(keys.queue(ID), 0, 2)
    assert book.audit() == ("the queue has 1 batches, but 2 wait: each must stand there exactly once",)


def test_a_number_that_is_queued_twice_and_a_row_that_stands_twice_are_found(book):
    book.queue(1, 1)
    book.client.set(keys.packed(ID, 2), book.client.get(keys.packed(ID, 1)))
    assert book.audit() == (
        "the rows do not follow each other at 1 places: each from 1 on must stand exactly once",
        "1 messages are queued for a number that has one already",
    )


def test_a_batch_that_is_gone_is_found(book):
    book.queue(1, 1)
    book.client.delete(keys.packed(ID, 2))
    assert "batch 2 of c1 is not in Redis any more" in book.audit()


def test_a_finished_campaign_with_something_left_is_found(book):
    book.queue(1)
    book.client.hset(keys.campaign(ID), "state", "finished")
    assert "the campaign is finished with 1 pending and 0 in flight" in book.audit()


def test_of_a_campaign_that_never_stands_still_only_the_law_is_audited(book):
    book.queue(1, 1)

    class Restless:
        """A client under which the campaign moves with each look at it."""

        def pipeline(self, *, transaction):
            book.client.hincrby(keys.campaign(ID), "calls", 1)
            return book.client.pipeline(transaction=transaction)

    book.client.hincrby(keys.campaign(ID), "accepted", 1)
    parts = "pending + in_flight + accepted + rejected + unconfirmed + expired + cancelled"
    assert audit(Restless(), ID) == (f"queued is 2, but {parts} is 3",)


@pytest.mark.parametrize("passes", [1, TRIES])
def test_a_batch_that_was_given_back_and_taken_again_during_a_recount_is_no_difference(ledger, passes):
    ledger.campaign(3)
    ledger.lane(call_us=1000)
    on_wire = [ledger.next_one()]

    class Busy:
        """A client of an audit: in some passes the batch that is on the wire waits while it is recounted."""

        recounted = 0

        def pipeline(self, *, transaction):
            if not transaction and self.recounted < passes:
                self.recounted += 1
                ledger.back(on_wire.pop())
            elif not on_wire:
                on_wire.append(ledger.next_one())
            return ledger.redis.pipeline(transaction=transaction)

    assert audit(Busy(), "c") == ()


steps = st.lists(
    st.sampled_from(["take", "settle", "throttle", "prove", "expire", "pause", "resume", "cancel"]), max_size=14
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.lists(st.sampled_from([None, None, "invalid", "duplicate", "suppressed"]), min_size=1, max_size=4),
        max_size=4,
    ),
    steps,
    st.data(),
)
def test_whatever_happens_the_books_agree_and_nobody_is_lost(book, stretches, steps, data):
    book.client.flushdb()
    book.rows, book.held = 0, []
    book.queue(*stretches)
    kinds = (Accepted(gateway_id="g"), Rejected(code="1", reason="no"), Unconfirmed(reason="?"))
    for step in steps:
        taken = data.draw(st.sampled_from(book.held)) if book.held else None
        match step:
            case "take":
                book.take()
            case "settle" if taken:
                size = int.from_bytes(taken.packed[:2])
                book.settle(taken, *data.draw(st.lists(st.sampled_from(kinds), min_size=size, max_size=size)))
            case "throttle" | "prove" if taken:
                book.give_back(taken, "throttled" if step == "throttle" else "none")
            case "expire":
                book.expire()
            case "pause":
                pause(book.client, ID, "by me")
            case "resume":
                resume(book.client, ID)
            case "cancel":
                cancel(book.client, ID, "by me")
        assert book.audit() == ()
        (standing,) = standings(book.client, [ID])
        lines = book.lines()
        assert [line.row for line in lines] == list(range(1, book.rows + 1))
        counted = [line.outcome for line in lines]
        assert {name: counted.count(name) for name in OUTCOMES} == {name: getattr(standing, name) for name in OUTCOMES}
