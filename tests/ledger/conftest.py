"""The ledger's steps on the real server, with the time in the test's hand."""

import asyncio
import struct
from collections import Counter

import pytest
import redis

from worker.domain.answers import Accepted, Rejected, Unconfirmed
from worker.domain.content import BatchContent, Passed
from worker.domain.delivery import DeliveryReport, Feedback
from worker.ledger import (
    keys,
    operating,
    production,
    receiving,
    resending,
    resolving,
    ringing,
    seats,
    settling,
    sweeping,
    taking,
    timing,
)
from worker.ledger.audit import audit
from worker.ledger.connection import connect_async
from worker.ledger.outcomes import Outcomes
from worker.ledger.packing import pack
from worker.ledger.reading import COUNTERS
from worker.ledger.record import report_rows

T0 = 1_800_000_000_000_000
"""Where a test's time begins, in microseconds since the epoch."""

S = 1_000_000
LETTERS = {
    "r": Rejected(code="23010", reason="INVALID"),
    "u": Unconfirmed(reason="no answer"),
}
REFUSAL = Rejected(code="40202", reason="Message body is invalid.")
OUTCOMES = ("accepted", "rejected", "unconfirmed", "expired", "cancelled")


class Ledger:
    """One database, two clients, and `now`. Every step of the ledger by its name, at that instant."""

    def __init__(self, url):
        self.redis = redis.Redis.from_url(url)
        self.runner = asyncio.Runner()
        self.aredis = connect_async(url)
        self.ids = 0
        self.now = T0
        self.remember_hours = 0

    def wipe(self):
        self.redis.flushdb()
        self.now = T0

    def close(self):
        self.runner.run(self.aredis.aclose())
        self.runner.close()
        self.redis.close()

    def run(self, coroutine):
        return self.runner.run(coroutine)

    def kept(self):
        """What every step is told that may find out who was messaged."""
        return {"remember_hours": self.remember_hours, "now": self.now}

    def pass_s(self, seconds):
        self.now += round(seconds * S)

    # production

    def begin(self, name="c", token="t", accounts=("main",), file="f", **options):
        return production.begin(
            self.redis, name, token=token, file_digest=file, doc="{}", name=name, accounts=accounts,
            now=self.now, **options,
        )  # fmt: skip

    def append(self, sizes, name="c", token="t", at=0, invalid=0, duplicate=0, suppressed=0):
        """Append batches of these sizes; the rows passed over stand before the first."""
        after = at + sum(sizes) + invalid + duplicate + suppressed
        passed = ["invalid"] * invalid + ["duplicate"] * duplicate + ["suppressed"] * suppressed
        contents = stretches(at, passed, sizes)
        return production.append(
            self.redis,
            name,
            token=token,
            position=at,
            new_position=after,
            digest=f"d{after}",
            invalid=invalid,
            duplicate=duplicate,
            suppressed=suppressed,
            stretches=[production.Stretch(messages=len(each.rows), packed=pack(each)) for each in contents],
        )

    def start(self, name="c", token="t", at=0, hold="", hours=(0, 0)):
        """Start it; `hours` are instants."""
        return production.start(self.redis, name, token=token, position=at, hold=hold, hours=hours, now=self.now)

    def discard(self, name="c", token="t"):
        production.discard(self.redis, name, token=token)

    def campaign(self, *sizes, name="c", accounts=("main",), hold="", hours=None, **options):
        """Produce a campaign of these batches, whole, and start it; `hours` are seconds from now: opens, closes."""
        self.begin(name, accounts=accounts, has_hours=hours is not None, **options)
        assert self.append(sizes, name)
        return self.start(name, at=sum(sizes), hold=hold, hours=self.instants(hours or (0, 0)))

    def instants(self, seconds):
        return tuple(self.now + round(each * S) for each in seconds) if any(seconds) else (0, 0)

    def set_hours(self, opens_s, closes_s, name="c"):
        return self.run(timing.set_hours(self.aredis, name, *self.instants((opens_s, closes_s)), self.now))

    # seats

    def announce(self, owner="w", account="main", call_us=1 * S, message_us=0, concurrency=100):
        """The worker lives, and its accounts file allows this."""
        self.redis.zadd(keys.WORKERS, {owner: self.now + 30 * S})
        ceiling = seats.Ceiling(call_us=call_us, message_us=message_us, concurrency=concurrency)
        self.run(seats.announce(self.aredis, owner, {account: ceiling}))

    def sit(self, owner="w", account="main"):
        return self.run(seats.take_seat(self.aredis, account, owner, self.now))

    def renew(self, owner="w", account="main"):
        return self.run(seats.renew_seat(self.aredis, account, owner, self.now))

    def lane(self, account="main", owner="w", **ceiling):
        self.announce(owner, account, **ceiling)
        return self.sit(owner, account)

    def leave(self, owner="w", account="main"):
        return self.run(seats.leave_seat(self.aredis, account, owner, self.now))

    # sending

    def new_ids(self, count):
        self.ids += count
        return [f"attempt{self.ids - count + i}" for i in range(count)]

    def take(
        self,
        count=1,
        *,
        ids=None,
        owner="w",
        account="main",
        seated=True,
        lookahead_us=0,
        lead_us=0,
        expiry_s=40,
        limit=100,
        late_us=0,
    ):
        """Ask for batches with a fresh seat, unless `seated` is false."""
        if seated:
            self.sit(owner, account)
        intent = taking.Intent(
            lookahead_us=lookahead_us,
            lead_us=lead_us,
            expiry_us=expiry_s * S,
            confirm=False,
            replicas=0,
            limit=limit,
            late_us=late_us,
        )
        ids = self.new_ids(count) if ids is None else ids
        return self.run(taking.take(self.aredis, account, owner, ids, intent, self.now))

    def take_one(self, **options):
        """Take the one batch that must be there."""
        turn = self.take(**options)
        assert isinstance(turn, taking.Batches), turn
        (taken,) = turn.taken
        return taken

    def next_one(self, **options):
        """Let the time pass until a batch may go, and take it."""
        turn = self.take(0, **options)
        if isinstance(turn, taking.Wait):
            self.pass_s(turn.seconds)
        return self.take_one(**options)

    def settle(self, taken, letters, kind="ok", reason="", pause_s=0, spread=1.0, account="main", gateway_ids=None):
        """Tell the outcomes, with the ids that the gateway gives, one a message, to those accepted; p is not taken."""
        messages = [
            Accepted(gateway_id=gateway_id) if letter == "a" else LETTERS[letter]
            for letter, gateway_id in zip(letters, gateway_ids or ["sid"] * len(letters), strict=True)
            if letter != "p"
        ]
        outcomes = Outcomes(sent_at=self.now / S, messages=tuple(messages))
        verdict = settling.Verdict(kind=kind, reason=reason, pause_us=round(pause_s * S))
        return self.run(
            settling.settle(
                self.aredis,
                account,
                taken,
                outcomes,
                verdict,
                untaken=[place for place, letter in enumerate(letters) if letter == "p"],
                spread=spread,
                **self.kept(),
            )
        )

    def back(
        self, taken, kind="none", reason="", pause_s=0, spread=1.0, pause_campaign="", only_here=False, account="main"
    ):
        verdict = settling.Verdict(kind=kind, reason=reason, pause_us=round(pause_s * S))
        return self.run(
            settling.give_back(
                self.aredis,
                account,
                taken,
                verdict,
                spread=spread,
                pause_campaign=pause_campaign,
                only_here=only_here,
                **self.kept(),
            )
        )

    def refuse(self, taken, account="main"):
        """Tell the ledger that the call was refused because of something in its batch."""
        return self.run(settling.isolate(self.aredis, account, taken, REFUSAL, self.now / S, **self.kept()))

    def void(self, attempt, account="main"):
        return self.run(settling.void(self.aredis, account, attempt, **self.kept()))

    def back_off(self, account="main", spread=1.0, began=0):
        self.run(settling.back_off(self.aredis, account, "unreachable", spread=spread, began=began, now=self.now))

    def sweep(self, owner="w"):
        return self.run(sweeping.sweep(self.aredis, owner, **self.kept()))

    def pass_sweeping(self, seconds=41):
        """Let the time pass with a sweep each second: by default past the expiry of what was just taken."""
        for _ in range(seconds):
            self.pass_s(1)
            self.sweep()

    def ring(self, owner="w", most=100):
        return self.run(ringing.ring(self.aredis, owner, most, self.now))

    def abandon(self, owner="w", account="main"):
        self.run(seats.abandon_seat(self.aredis, account, owner, self.now))

    def resend(self, n=1, name="c", client=None):
        return self.run(resending.resend(client or self.aredis, name, n, self.now))

    # reports

    def report(
        self,
        state,
        *,
        n=1,
        row=None,
        gateway_id="",
        name="c",
        code="",
        at=None,
        feedback=Feedback.NOTHING,
        client=None,
    ):
        """One delivery report arrives, about batch n and the person of a row."""
        to = "" if row is None else f"+{919_000_000_000 + row}"
        text = "FAILED" if state == "failed" else ""
        said = DeliveryReport(
            state=state, gateway_id=gateway_id, to=to, code=code, text=text, at=at, feedback=feedback
        )  # fmt: skip
        return self.receive([receiving.Addressed(campaign=name, batch=n, report=said)], client)

    def receive(self, addressed, client=None):
        return receiving.receive(client or self.redis, addressed, **self.kept())

    def resolve(self, decision, n=1, name="c", code="", client=None):
        return resolving.resolve(client or self.redis, name, n, decision, code=code, now=self.now)

    def rows(self, name="c"):
        return list(report_rows(self.redis, name))

    def differences(self, name="c"):
        return audit(self.redis, name)

    # operating

    def pause(self, name="c", reason="by hand"):
        return operating.pause(self.redis, name, reason)

    def resume(self, name="c"):
        return operating.resume(self.redis, name, self.now)

    def cancel(self, name="c"):
        return operating.cancel(self.redis, name, "by hand", self.now)

    def hold(self, account="main", reason="by hand"):
        operating.hold_account(self.redis, account, reason, self.now)

    def open(self, account="main"):
        operating.open_account(self.redis, account, self.now)

    # what stands there

    def fields(self, key):
        return {name.decode(): value.decode() for name, value in self.redis.hgetall(key).items()}

    def counts(self, name="c"):
        """Return the campaign's counters that are not 0."""
        fields = self.fields(keys.campaign(name))
        return {counter: int(fields[counter]) for counter in COUNTERS if int(fields[counter])}

    def state(self, name="c"):
        return self.fields(keys.campaign(name))["state"]

    def lane_field(self, field, account="main"):
        value = self.redis.hget(keys.lane(account), field)
        return None if value is None else value.decode()

    def pause_s(self, account="main"):
        """How long the lane pauses from now."""
        return (float(self.lane_field("paused_until", account) or 0) - self.now) / S

    def batch(self, n=1, name="c"):
        return self.fields(keys.batch_state(name, n))

    def queue(self, name="c"):
        return [int(n) for n in self.redis.lrange(keys.queue(name), 0, -1)]

    def due(self, account="main"):
        """Seconds from now until the lane is due; `None` where it is not."""
        at = self.redis.zscore(keys.DUE, account)
        return None if at is None else (at - self.now) / S

    def lawful(self, name="c"):
        """Assert the law, and that the counters are what the batches say."""
        fields = self.fields(keys.campaign(name))
        count = Counter({counter: int(fields[counter]) for counter in COUNTERS})
        assert count["rows"] == count["invalid"] + count["duplicate"] + count["suppressed"] + count["queued"]
        assert count["queued"] == count["pending"] + count["in_flight"] + sum(count[each] for each in OUTCOMES)
        assert min(count.values()) >= 0, count
        if fields["state"] == "finished":
            assert count["pending"] == count["in_flight"] == 0
        pending = sum(self.waiting(name, n) for n in self.queue(name))
        batches = range(1, int(fields["stretches"]) + int(fields.get("made", 0)) + 1)
        on_wire = sum(self.waiting(name, n) for n in batches if self.batch(n, name).get("state") == "sending")
        assert (count["pending"], count["in_flight"]) == (pending, on_wire)

    def waiting(self, name, n):
        mask = self.redis.get(keys.mask(name, n))
        return self.size(name, n) if mask is None else mask.count(b".")

    def size(self, name, n):
        return struct.unpack_from(">H", self.redis.get(keys.packed(name, n)))[0]


def stretches(at, passed, sizes):
    """Return the contents of stretches of so many messages, from the row after `at` on.

    `passed` are the outcomes of rows passed over, before the first message.
    """
    contents = []
    for size in sizes:
        first = at + 1 + len(passed)
        rows = tuple(range(first, first + size))
        contents.append(
            BatchContent(
                columns=("to",),
                rows=rows,
                numbers=tuple(919_000_000_000 + row for row in rows),
                values=tuple([f"90000{row:05}"] for row in rows),
                passed=tuple(
                    Passed(row=row, outcome=outcome, to="?", reason="why", values=("?",))
                    for row, outcome in enumerate(passed, at + 1)
                ),
            )
        )
        at, passed = first + size - 1, []
    return contents


@pytest.fixture
def ledger(redis_url):
    ledger = Ledger(redis_url)
    yield ledger
    ledger.close()


@pytest.fixture
def quick(ledger):
    """A ledger whose server does not wait for the disk: here nobody crashes it."""
    ledger.redis.config_set("appendfsync", "no")
    yield ledger
    ledger.redis.config_set("appendfsync", "always")
