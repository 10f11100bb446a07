"""The ledger under any interleaving: the law holds after every step, and nobody is ever on the wire twice.

The machine plays campaigns' producers, several worker processes that die, lose answers and wake up late, refusals of
whole batches, answers that take a batch in part, delivery reports at any time, the resend of what stayed unconfirmed,
the operator, who also decides by hand, starts, ends and hours, and a clock that steps. A witness at the gateways' side
of the wire (law_witness.py) holds the ledger to its promises after each step.
`BULKSEND_TEST_EXAMPLES` sets how many interleavings are tried (75 without it); `BULKSEND_TEST_SHRINK` lets a failure be
made shorter, for minutes.
"""

import math
import os

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from worker.domain.delivery import DeliveryReport, Feedback, write_news
from worker.ledger import keys
from worker.ledger.production import Continue, Whole
from worker.ledger.receiving import Addressed
from worker.ledger.seats import Seat
from worker.ledger.settling import REFUSED_LIMIT
from worker.ledger.sweeping import Swept

from .conftest import T0, S
from .law_model import Campaign
from .law_witness import ACCOUNTS, CONCURRENCY, EXPIRY_S, Witness

LATE_S = 2.9
"""Sweeps so far apart are not late enough to lengthen an expiry."""

LARGEST = 5

pick = st.integers(min_value=0, max_value=99)
pools = st.sampled_from([("main", "spare"), ("main",), ("spare",), ("main", "single")])
"""A pool whose accounts take more or fewer messages a call is what a change of the accounts file may leave."""

unconfirmed_ones = st.sampled_from(["hold", "resend"])
instants_s = st.sampled_from([0, 0, 20, 60, 300])
hours_s = st.sampled_from([None, None, (0, 30), (-10, 400), (15, 200)])
reports = st.tuples(
    pick,
    pick,
    st.tuples(
        st.sampled_from(["sent", "failed", "delivered", "delivered", "seen"]),
        st.sampled_from(["", "20005", "23035", "-7"]),
        st.sampled_from([None, 1_800_000_000.0, 1_800_000_001.5]),
        st.sampled_from([*[Feedback.NOTHING] * 4, Feedback.THROTTLED, Feedback.OPTED_OUT]),
    ),
    st.sampled_from(["number", "name", "both"]),
    st.sampled_from([1, 1, 2]),
)
"""Person, under which of its batches, what it tells, how it names the person, how often it comes."""

mostly = st.sampled_from([True, True, True, False])
account_names = st.sampled_from(sorted(ACCOUNTS))
sizes = st.lists(st.integers(min_value=0, max_value=LARGEST), min_size=2, max_size=6)


def one_of(which, anything, telling):
    """Pick from what may tell something new, and now and then from anything."""
    pool = anything if which % 5 == 4 or not telling else telling
    return pool[which // 5 % len(pool)]


class LawMachine(Witness):
    # --- production

    @initialize(
        produced=st.lists(sizes, min_size=3, max_size=3),
        pool=pools,
        unconfirmed=st.lists(unconfirmed_ones, min_size=4, max_size=4),
        starts_s=instants_s,
        ends_s=instants_s,
        hours=hours_s,
    )
    def begin(self, produced, pool, unconfirmed, starts_s, ends_s, hours):
        """Three campaigns run: one may have hours, one an end, one goes message by message. The last is being produced,
        or waits for its start.
        """
        self.begin_one("c0", ("main", "spare"), unconfirmed[0], hours=hours)
        self.begin_one("c1", pool, unconfirmed[1], ends_at=ends_s and T0 + ends_s * S)
        self.begin_one("c2", pool, unconfirmed[2], starts_at=starts_s and T0 + starts_s * S)
        self.begin_one("c3", ("single",), unconfirmed[3])
        for which, sizes in zip((0, 1, 3), produced, strict=True):
            self.append(which, sizes, 1, 0)
            self.start(which, hold="")
        if starts_s:
            self.append(2, produced[0], 0, 1)
            self.start(2, hold="")

    def begin_one(self, name, accounts, on_unconfirmed, hours=None, **times):
        self.ledger.begin(
            name, token="first", accounts=accounts, on_unconfirmed=on_unconfirmed, has_hours=bool(hours), **times
        )
        self.campaigns[name] = Campaign(
            accounts=accounts,
            resends=on_unconfirmed == "resend",
            hours=self.ledger.instants(hours) if hours else None,
            resumed_at=self.ledger.now,
            **times,
        )

    @rule(
        which=pick,
        step=st.sampled_from(["append", "append", "take over", "start"]),
        sizes=sizes,
        passed=st.tuples(st.integers(0, 2), st.integers(0, 2)),
        hold=st.sampled_from(["", "", "waits"]),
    )
    def produce(self, which, step, sizes, passed, hold):
        match step:
            case "append":
                self.append(which, sizes, *passed)
            case "take over":
                self.take_over(which, sizes)
            case "start":
                self.start(which, hold)

    def append(self, which, sizes, invalid, duplicate):
        name, campaign = self.campaign(which)
        written = self.ledger.append(sizes, name, campaign.token, campaign.position, invalid, duplicate)
        assert written == (campaign.state == "producing")
        if not written:
            return
        for word in ["invalid"] * invalid + ["duplicate"] * duplicate:
            campaign.count.update(rows=1, **{word: 1})
            campaign.passed[campaign.position] = word
        for size in sizes:
            campaign.produce(size)

    def take_over(self, which, sizes):
        """A producer that lost the campaign writes nothing; a new one goes on where it stands."""
        name, campaign = self.campaign(which)
        assert not self.ledger.append(sizes, name, "lost", campaign.position)
        assert self.ledger.start(name, "lost", campaign.position) == ""
        self.ledger.discard(name, "lost")
        opening = self.ledger.begin(name, token=campaign.token + "+", accounts=campaign.accounts)
        if campaign.state == "producing":
            assert isinstance(opening, Continue)
            assert opening.position == campaign.position
            campaign.token += "+"
        else:
            assert opening == Whole(state=campaign.state)

    def start(self, which, hold):
        name, campaign = self.campaign(which)
        hours = campaign.hours or (0, 0)
        state = self.ledger.start(name, campaign.token, campaign.position, hold=hold, hours=hours)
        if campaign.state != "producing":
            assert state == ""
            return
        campaign.start(hold, self.ledger.now)
        assert state == campaign.state

    # --- workers

    def sit(self, owner, account):
        return self.ledger.lane(account, owner, call_us=ACCOUNTS[account], concurrency=CONCURRENCY)

    def seated(self, which, account):
        """Return a worker that has a seat now; the last asked where dead ones keep them all."""
        owners = [self.owner(which + i) for i in range(len(self.owners))]
        return next((owner for owner in owners if isinstance(self.sit(owner, account), Seat)), owners[-1])

    @rule(which=pick, account=account_names, count=st.integers(0, 5), sits=mostly, hears=mostly)
    def take(self, which, account, count, sits, hears):
        """A worker takes; where it does not hear the answer it knows only the ids."""
        owner = self.seated(which, account) if sits else self.owner(which)
        ids = self.ledger.new_ids(count)
        attempts = self.take_some(owner, account, ids)
        if hears:
            self.attempts += attempts
            return
        taken = {attempt.taken.attempt: attempt for attempt in attempts}
        self.unanswered += [(account, each, taken.get(each)) for each in ids]

    @rule(which=pick, account=account_names, count=st.integers(1, 3), hears=st.booleans())
    def take_and_sleep_past_the_expiry(self, which, account, count, hears):
        self.take(which, account, count, sits=True, hears=hears)
        self.let_time_pass(which, EXPIRY_S + 1, "sweeps")

    @precondition(lambda self: self.unanswered)
    @rule(which=pick, is_repeated=st.booleans())
    def void(self, which, is_repeated):
        account, attempt, held = lost = one_of(which, self.unanswered, [each for each in self.unanswered if each[2]])
        self.unanswered.remove(lost)
        word = self.ledger.void(attempt, account)
        assert word == {"sending": "back", "expired": "late", "ended": "gone"}[held.state if held else "ended"]
        if word != "gone":
            self.return_to_queue(held, "none")
        if is_repeated:
            assert self.ledger.void(attempt, account) == "gone"
        # What was void before its take arrives is not taken.
        (early,) = self.ledger.new_ids(1)
        assert self.ledger.void(early, account) == "gone"
        assert self.take_some(self.seated(which, account), account, [early]) == []

    @precondition(lambda self: self.attempts)
    @rule(
        which=pick,
        letters=st.text("aaaaru", min_size=LARGEST, max_size=LARGEST),
        kind=st.sampled_from(["ok", "ok", "ok", "lost", "lost", "refused"]),
        is_repeated=st.booleans(),
    )
    def settle(self, which, letters, kind, is_repeated):
        self.tell(self.attempt(which), letters, kind, is_repeated=is_repeated)

    @precondition(lambda self: self.attempts)
    @rule(
        which=pick,
        letters=st.text("aappru", min_size=LARGEST, max_size=LARGEST),
        kind=st.sampled_from(["throttled", "throttled", "hold"]),
        pause_s=st.sampled_from([0, 1, 30]),
        is_repeated=st.booleans(),
    )
    def settle_what_was_taken(self, which, letters, kind, pause_s, is_repeated):
        """The gateway takes some messages of a call and not the others: p."""
        self.tell(self.attempt(which), letters, kind, pause_s, is_repeated=is_repeated)

    def tell(self, attempt, letters, kind, pause_s=0, *, is_repeated=False):
        campaign, n, rows = self.sent_by(attempt)
        letters = {"lost": "u" * LARGEST, "refused": "r" * LARGEST}.get(kind, letters)[: len(rows)]
        options = {"account": attempt.account, "pause_s": pause_s, "gateway_ids": [f"id{n}.{row}" for row in rows]}
        word = self.ledger.settle(attempt.taken, letters, kind, **options)
        expected = {"sending": ["settled"], "expired": ["late"], "ended": ["already", "gone"]}
        assert word in expected[attempt.state]
        if word in ("settled", "late"):
            self.told(attempt)
            if "p" in letters:
                self.go_again(attempt, [row for row, letter in zip(rows, letters, strict=True) if letter == "p"])
            taken = [(row, letter) for row, letter in zip(rows, letters, strict=True) if letter != "p"]
            campaign.land(taken)
            accepted = [row for row, letter in taken if letter == "a"]
            rejected = [row for row, letter in taken if letter == "r"]
            campaign.named.update((row, f"id{n}.{row}") for row in accepted)
            campaign.labels.update(dict.fromkeys(rejected, "23010 INVALID"))
            campaign.prove(rejected, attempt.taken.attempt)
            campaign.plan(n, self.ledger.now)
            if kind == "refused":
                campaign.refuse(attempt.taken_at, self.ledger.now)
            if kind == "ok" or accepted:
                campaign.refusals, campaign.has_passed = 0, True
            campaign.count["throttled"] += kind == "throttled"
            campaign.finish_when_done()
        if is_repeated:
            assert self.ledger.settle(attempt.taken, letters, kind, **options) in ("already", "gone")

    @precondition(lambda self: self.attempts)
    @rule(
        which=pick,
        kind=st.sampled_from(["none", "none", "none", "unsent", "throttled", "hold", "ok"]),
        pause_s=st.sampled_from([0, 1, 30]),
        why=st.sampled_from(["", "", "refused"]),
        only_here=st.booleans(),
        is_repeated=st.booleans(),
    )
    def give_back(self, which, kind, pause_s, why, only_here, is_repeated):
        """A pause that the gateway asks for, or, of a hold, the time after which one batch is tried."""
        attempt = self.attempt(which)
        pause_s = pause_s if kind in ("throttled", "hold") else 0
        options = {"pause_s": pause_s, "pause_campaign": why, "only_here": only_here, "account": attempt.account}
        word = self.ledger.back(attempt.taken, kind, **options)
        assert word == {"sending": "back", "expired": "late", "ended": "gone"}[attempt.state]
        if word != "gone":
            self.return_to_queue(attempt, kind, why, only_here=only_here)
        if is_repeated:
            assert self.ledger.back(attempt.taken, kind, **options) == "gone"

    @precondition(lambda self: self.attempts)
    @rule(which=pick, is_repeated=st.booleans())
    def refuse(self, which, is_repeated):
        attempt = self.attempt(which)
        self.divide(attempt)
        if is_repeated:
            assert self.ledger.refuse(attempt.taken, attempt.account) == "gone"

    @rule(which=pick, account=account_names, count=st.sampled_from([1, 1, 1, 2, 2, 2, 3, REFUSED_LIMIT + 3]))
    def refuse_whatever_is_sent(self, which, account, count):
        for _ in range(count):
            attempts = self.take_some(self.seated(which, account), account, self.ledger.new_ids(1))
            if not attempts:
                return
            self.attempts += attempts
            self.divide(attempts[0])
            self.ledger.pass_s(0.1)

    @rule(which=pick, account=account_names, probe_s=st.sampled_from([5, 30]), is_tried=mostly)
    def hold_for_a_while(self, which, account, probe_s, is_tried):
        """The gateway refuses the account for something that may pass; when it is time one batch may be tried."""
        attempts = self.take_some(self.seated(which, account), account, self.ledger.new_ids(1))
        self.attempts += attempts
        if not attempts:
            return
        assert self.ledger.back(attempts[0].taken, "hold", pause_s=probe_s, account=account) == "back"
        self.return_to_queue(attempts[0], "hold")
        if is_tried:
            self.let_time_pass(which, probe_s, "sweeps")
            self.attempts += self.take_some(self.seated(which, account), account, self.ledger.new_ids(2))

    @rule(which=pick, any_batch=pick, is_kept=st.booleans())
    def resend(self, which, any_batch, is_kept):
        """A worker does what a sweep has told it, at some time after, perhaps with another; or what nobody told it."""
        name, campaign = self.campaign(any_batch)
        named = one_of(which, [(name, 1 + any_batch % (len(campaign.batches) or 1))], self.named)
        if named in self.named and not is_kept:
            self.named.remove(named)
        self.send_once_more(*named)

    @rule(which=pick, account=account_names, is_sound=mostly)
    def leave_or_crash(self, which, account, is_sound):
        owner = self.owner(which)
        if is_sound:
            due = self.ledger.due(account)
            left = type(self.ledger.leave(owner, account)).__name__
            assert left == ("Stay" if due is not None and due <= 0 else "Left")
            return
        self.crashed += [attempt for attempt in self.attempts if attempt.owner == owner]
        self.attempts = [attempt for attempt in self.attempts if attempt.owner != owner]
        self.owners.remove(owner)
        self.owners.append(f"w{self.born}")
        self.born += 1

    # --- the operator

    @rule(
        which=pick,
        account=account_names,
        word=st.sampled_from(["pause", "resume", "resume", "hold", "open", "open", "cancel"]),
    )
    def operate(self, which, account, word):
        match word:
            case "pause":
                self.pause(which)
            case "resume":
                self.resume(which)
            case "cancel" if which < 30:
                self.cancel(which)
            case "hold":
                self.ledger.hold(account)
            case "open":
                self.ledger.open(account)

    def pause(self, which):
        name, campaign = self.campaign(which)
        if campaign.state == "producing":
            campaign.hold = "by hand"
        if campaign.state in ("running", "scheduled"):
            campaign.state = "paused"
        assert self.ledger.pause(name) == campaign.state

    def resume(self, which):
        name, campaign = self.campaign(which)
        campaign.resume(self.ledger.now)
        assert self.ledger.resume(name) == campaign.state

    def cancel(self, which):
        name, campaign = self.campaign(which)
        campaign.cancel()
        assert self.ledger.cancel(name) == campaign.state

    @rule(which=pick, any_batch=pick, decision=st.sampled_from(["accepted", "rejected", "resend", "resend"]))
    def resolve(self, which, any_batch, decision):
        """Somebody decides what became of a batch's unconfirmed messages."""
        open_ones = [name for name, each in self.campaigns.items() if "unconfirmed" in each.fate.values()]
        name = one_of(which, [name for name, each in self.campaigns.items() if each.batches], open_ones)
        campaign = self.campaigns[name]
        n = one_of(any_batch, list(campaign.batches), [n for n in campaign.batches if campaign.unconfirmed(n)])
        said, rows = self.ledger.resolve(decision, n, name, code="77"), campaign.unconfirmed(n)
        expired = campaign.expired.get(n)
        if expired and rows and decision == "resend":
            expired.expired_at = min(expired.expired_at, self.ledger.now)
        if not rows:
            assert said == {}
        elif decision != "resend":
            assert said == {"resolved": len(rows)}
            campaign.mark(rows, decision)
            campaign.labels.update(dict.fromkeys(rows, "77 resolved by hand"))
            campaign.forget(n)
            campaign.finish_when_done()
        elif expired and expired.expired_at + EXPIRY_S * S > self.ledger.now:
            assert said == {"early": len(rows)}
        elif campaign.over:
            assert said == {"dropped": len(rows)}
            campaign.planned.pop(n, None)
            campaign.finish_when_done()
        else:
            assert said == {"resolved": len(rows)}
            campaign.send_again(n)

    # --- delivery reports

    @rule(which=pick, reports=st.lists(reports, min_size=1, max_size=3))
    def report(self, which, reports):
        """Reports come about any persons, under any batch with which they ever went, by name or number, or twice."""
        name, campaign = self.campaign(which)
        if not campaign.fate:
            return
        lot, heard = [], 0
        for person, past, (state, code, at, feedback), way, times in reports:
            is_open = [row for row in campaign.went if campaign.fate[row] in ("in_flight", "unconfirmed")]
            row = one_of(person, list(campaign.fate), is_open or list(campaign.went))
            places = sorted({*campaign.went.get(row, ()), campaign.home[row]})
            n, named, to = places[past % len(places)], campaign.named.get(row, ""), f"+{919_000_000_000 + row}"
            if way == "name" and named:
                n, to = campaign.home[row], ""
            gateway_id = "" if way == "number" else named or f"told{row}.{past}"
            text = "FAILED" if state == "failed" else ""
            report = DeliveryReport(
                state=state, gateway_id=gateway_id, to=to, code=code, text=text, at=at, feedback=feedback
            )
            lot += [Addressed(campaign=name, batch=n, report=report)] * times
            heard += times * campaign.hear(row, write_news(report), gateway_id)
        received = self.ledger.receive(lot)
        assert (received.matched, received.unmatched) == (heard, len(lot) - heard)

    # --- time

    @rule(
        which=pick,
        seconds=st.sampled_from([0.01, 0.3, 1, 6, 20, 45, 3600]),
        how=st.sampled_from(["", "", "sweeps", "sweeps", "resends", "resends", "steps", "steps back"]),
    )
    def let_time_pass(self, which, seconds, how):
        """Meanwhile nobody sweeps, or some worker does, and perhaps resends what is due; or the clock steps."""
        if how not in ("sweeps", "resends") or seconds == 3600:
            self.ledger.pass_s(-seconds if how == "steps back" else seconds)
            match how:
                case "steps":
                    self.last_slot.clear()
                case "steps back":  # the slots that were given have not moved
                    self.last_slot = {account: slot - seconds * S for account, slot in self.last_slot.items()}
            return
        for _ in range(math.ceil(seconds / LATE_S)):
            self.ledger.pass_s(min(seconds, LATE_S))
            self.sweep(which)
            while how == "resends" and self.named:
                self.send_once_more(*self.named.pop())

    def sweep(self, which):
        swept, now = self.ledger.sweep(self.owner(which)), self.ledger.now
        if int(self.ledger.redis.hget(keys.CLOCK, "swept_at")) != now:
            assert swept == Swept(expired=0, resends=(), hours=(), reports=0)
            return
        self.move_what_is_planned(now)
        self.expire(swept.expired)
        for campaign in self.campaigns.values():
            campaign.come(now)
        for name in swept.hours:
            self.set_hours(name, -1, 120)
        due = [(name, n) for name, each in self.campaigns.items() for n, at in each.planned.items() if at <= now]
        assert sorted(swept.resends) == sorted(due)
        self.named += [each for each in due if each not in self.named]

    @rule(opens_s=st.sampled_from([-5, 0, 10, 100]), lasts_s=st.sampled_from([4, 20, 300]))
    def renew_hours(self, opens_s, lasts_s):
        self.set_hours("c0", opens_s, opens_s + lasts_s)

    def set_hours(self, name, opens_s, closes_s):
        campaign = self.campaigns[name]
        is_open = self.ledger.set_hours(opens_s, closes_s, name)
        if campaign.state in ("finished", "cancelled"):
            assert not is_open
            return
        campaign.rests = False
        if campaign.hours:
            campaign.hours = self.ledger.instants((opens_s, closes_s))
        assert is_open == (opens_s <= 0 < closes_s)

    def move_what_is_planned(self, now):
        """A clock step back brings resends nearer; time in which nobody swept puts them off. So with expiries."""
        gap = min(now - (now if self.swept_at is None else self.swept_at) - S, 60 * S)
        for campaign in self.campaigns.values():
            for n, due in campaign.planned.items():
                campaign.planned[n] = min(due, now + EXPIRY_S * S) + (gap if gap > 2 * S else 0)
        self.swept_at = now

    def expire(self, count):
        if not count:
            return
        members = {member.decode().split()[1] for member in self.ledger.redis.zrange(keys.ATTEMPTS, 0, -1)}
        gone = [each for each in self.on_record() if each.state == "sending" and each.taken.attempt not in members]
        assert len(gone) == count
        for attempt in gone:
            campaign, n, rows = self.sent_by(attempt)
            attempt.state, attempt.expired_at = "expired", self.ledger.now
            campaign.expired[n] = attempt
            campaign.count["calls"] += 1
            campaign.land([(row, "u") for row in rows])
            campaign.plan(n, self.ledger.now + EXPIRY_S * S)
            campaign.finish_when_done()

    def attempt(self, which):
        """Return an attempt of which there is something to tell, mostly; where there is none somebody takes first."""
        if all(each.state == "ended" for each in self.attempts):
            for account in ACCOUNTS:
                self.take(which, account, 2, sits=True, hears=True)
        return one_of(which, self.attempts, [each for each in self.attempts if each.state != "ended"])

    def teardown(self):
        """Whatever has happened: an operator's word and one sound worker bring every campaign to its end."""
        if not self.campaigns:
            return  # nothing has begun
        while self.unanswered:
            self.void(0, is_repeated=False)
        for attempt in [each for each in self.attempts if each.state == "sending"]:
            self.tell(attempt, "a" * LARGEST, "ok")
        self.ledger.now = max(self.ledger.now, *(campaign.starts_at for campaign in self.campaigns.values()))
        self.let_time_pass(0, 130, "sweeps")
        assert self.ledger.redis.zcard(keys.ATTEMPTS) == 0, "dead workers' batches never end"
        for which in range(len(self.campaigns)):
            self.start(which, hold="")
            self.resume(which)
        self.let_time_pass(0, 10, "sweeps")
        self.set_hours("c0", -1, 10_000)
        for name, n in self.named:
            self.send_once_more(name, n)
        for account in ACCOUNTS:
            self.ledger.open(account)
            self.work_off(account)
        self.the_law_holds_and_every_counter_is_what_happened()
        self.what_is_due_for_its_resend_is_what_stayed_unconfirmed()
        assert {campaign.state for campaign in self.campaigns.values()} <= {"finished", "cancelled"}

    def work_off(self, account):
        for _ in range(100):
            self.sit("last", account)
            attempts = self.take_some("last", account, self.ledger.new_ids(3))
            for attempt in attempts:
                self.tell(attempt, "a" * LARGEST, "ok")
            if not attempts and self.ledger.due(account) is None:
                return
            self.ledger.pass_s(2)
            self.sweep(0)
        pytest.fail(f"lane {account} is never done")


@pytest.fixture
def quick(ledger):
    """A ledger whose server does not wait for the disk: here nobody crashes it."""
    ledger.redis.config_set("appendfsync", "no")
    yield ledger
    ledger.redis.config_set("appendfsync", "always")


@pytest.mark.timeout(1800)
def test_the_law_holds_and_nobody_is_on_the_wire_twice_whatever_happens(quick):
    shrinking = [Phase.shrink] if os.environ.get("BULKSEND_TEST_SHRINK") else []
    profile = settings(
        max_examples=int(os.environ.get("BULKSEND_TEST_EXAMPLES", "75")),
        stateful_step_count=50,
        phases=[Phase.explicit, Phase.reuse, Phase.generate, *shrinking],
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(lambda: LawMachine(quick), settings=profile)
