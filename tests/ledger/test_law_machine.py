"""The ledger under any interleaving: the law holds after every step, and nobody is ever on the wire twice.

The machine plays campaigns' producers, several worker processes that die, lose answers and wake up late, refusals of
whole batches, the one resend of what stayed unconfirmed, the operator, and a clock that steps. Its model is what a
witness at the gateways' side of the wire would write down, person by person.
`BULKSEND_TEST_EXAMPLES` sets how many interleavings are tried (75 without it); `BULKSEND_TEST_SHRINK` lets a failure be
made shorter, for minutes.
"""

import math
import os
from collections import Counter, defaultdict
from dataclasses import dataclass, field

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from worker.ledger import keys
from worker.ledger.audit import audit
from worker.ledger.packing import unpack
from worker.ledger.production import Continue, Whole
from worker.ledger.reading import COUNTERS
from worker.ledger.record import report_rows
from worker.ledger.seats import Seat
from worker.ledger.sending import REFUSED_LIMIT, Batches, Stop, Taken
from worker.ledger.sweeping import Swept

S = 1_000_000
ACCOUNTS = {"main": S // 300, "spare": S // 10}
"""Accounts and the microseconds between their calls: main has two seats, spare has one."""

CONCURRENCY = 3
EXPIRY_S = 40
LATE_S = 2.9
"""Sweeps so far apart are not late enough to lengthen an expiry."""

WORDS = {"a": "accepted", "r": "rejected", "u": "unconfirmed"}
NAMES = ("c0", "c1", "c2")
LARGEST = 5

pick = st.integers(min_value=0, max_value=99)
options = st.tuples(
    st.sampled_from([tuple(ACCOUNTS), *((account,) for account in ACCOUNTS)]), st.sampled_from(["hold", "resend"])
)
mostly = st.sampled_from([True, True, True, False])
account_names = st.sampled_from(sorted(ACCOUNTS))
sizes = st.lists(st.integers(min_value=0, max_value=LARGEST), min_size=2, max_size=6)


@dataclass
class Attempt:
    """One taking of a batch: sending, expired (settled by the sweep), or ended."""

    account: str
    owner: str
    taken: Taken
    taken_at: int
    state: str = "sending"


@dataclass
class Campaign:
    accounts: tuple
    resends: bool
    state: str = "producing"
    token: str = "first"
    hold: str = ""
    count: Counter = field(default_factory=Counter)  # what is not a person's fate
    passed: dict = field(default_factory=dict)  # row → invalid or duplicate
    fate: dict = field(default_factory=dict)  # row → its outcome, for each message
    reached: dict = field(default_factory=lambda: defaultdict(set))  # row → attempts that may have brought it
    stretches: int = 0
    batches: dict = field(default_factory=dict)  # number → rows
    queue: list = field(default_factory=list)
    planned: dict = field(default_factory=dict)  # batch → when it is due for its resend
    second: set = field(default_factory=set)  # batches that are resends
    refusals: int = 0
    resumed_at: int = 0

    @property
    def position(self):
        return self.count["rows"]

    def counts(self):
        counted = self.count + Counter(self.fate.values())
        return {counter: counted[counter] for counter in COUNTERS} | {"queued": len(self.fate)}

    def mark(self, rows, word):
        self.fate.update(dict.fromkeys(rows, word))

    def wait(self, rows):
        """These messages are pending again, or cancelled with their campaign; say which."""
        self.mark(rows, "cancelled" if self.state == "cancelled" else "pending")
        if self.state == "finished":
            self.state = "running"
        return self.state != "cancelled"

    def move(self, rows):
        """These messages stand in a new batch at the end of the queue; return its number."""
        number = max(self.batches) + 1
        self.batches[number] = rows
        self.queue.append(number)
        assert self.wait(rows)
        return number

    def plan(self, number, due):
        if self.resends and number not in self.second:
            self.planned.setdefault(number, due)

    def prove(self, rows, attempt):
        """Nothing of the attempt came to these people."""
        for row in rows:
            self.reached[row].discard(attempt)

    def is_stale(self, taken_at, now):
        return taken_at < self.resumed_at and (self.resumed_at <= now or taken_at > now)

    def refuse(self, taken_at, now):
        """One more call was refused."""
        if self.is_stale(taken_at, now):
            return
        self.refusals += 1
        if self.refusals >= REFUSED_LIMIT and self.state == "running":
            self.state = "paused"

    def finish_when_done(self):
        is_done = not self.planned and {"pending", "in_flight"}.isdisjoint(self.fate.values())
        if self.state in ("running", "paused") and is_done:
            self.state = "finished"


def one_of(which, anything, telling):
    """Pick from what may tell something new, and now and then from anything."""
    pool = anything if which % 5 == 4 or not telling else telling
    return pool[which // 5 % len(pool)]


class LawMachine(RuleBasedStateMachine):
    def __init__(self, ledger):
        super().__init__()
        ledger.wipe()
        self.ledger = ledger
        self.campaigns = {}
        self.attempts = []  # whose process lives and knows of them, whatever became of them
        self.unanswered = []  # (account, id, attempt or None) of takes whose answer was lost
        self.crashed = []
        self.named = []  # (campaign, batch) that a sweep found due for its resend
        self.owners = ["w0", "w1"]
        self.born = 2
        self.swept_at = None
        self.last_slot = {}
        self.seen = {}

    # --- production

    @initialize(produced=st.lists(sizes, min_size=2, max_size=2), options=st.lists(options, min_size=3, max_size=3))
    def begin(self, produced, options):
        """Two campaigns run, the first of them through both accounts, and one is being produced."""
        self.begin_one("c0", tuple(ACCOUNTS), options[0][1])
        self.begin_one("c1", *options[1])
        self.begin_one("c2", *options[2])
        for which, sizes in enumerate(produced):
            self.append(which, sizes, 1, 0)
            self.start(which, hold="")

    def begin_one(self, name, accounts, on_unconfirmed):
        self.ledger.begin(name, token="first", accounts=accounts, on_unconfirmed=on_unconfirmed)
        self.campaigns[name] = Campaign(
            accounts=accounts, resends=on_unconfirmed == "resend", resumed_at=self.ledger.now
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
        row = campaign.position + 1
        for word in ["invalid"] * invalid + ["duplicate"] * duplicate:
            campaign.passed[row] = word
            row += 1
        for size in sizes:
            campaign.stretches += 1
            campaign.batches[campaign.stretches] = rows = tuple(range(row, row + size))
            campaign.mark(rows, "pending")
            if size:
                campaign.queue.append(campaign.stretches)
            row += size
        campaign.count.update(batches=sum(size > 0 for size in sizes), invalid=invalid, duplicate=duplicate)
        campaign.count["rows"] = row - 1

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
        state = self.ledger.start(name, campaign.token, campaign.position, hold=hold)
        if campaign.state != "producing":
            assert state == ""
            return
        campaign.state = "paused" if hold or campaign.hold else "running"
        campaign.finish_when_done()
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
            self.return_to_queue(held, "none", "")
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

    def tell(self, attempt, letters, kind, *, is_repeated=False):
        campaign, n, rows = self.sent_by(attempt)
        letters = {"ok": letters, "lost": "u" * LARGEST, "refused": "r" * LARGEST}[kind][: len(rows)]
        word = self.ledger.settle(attempt.taken, letters, kind, account=attempt.account)
        expected = {"sending": ["settled"], "expired": ["late"], "ended": ["already", "gone"]}
        assert word in expected[attempt.state]
        if word in ("settled", "late"):
            self.told(attempt)
            campaign.fate.update(zip(rows, (WORDS[letter] for letter in letters), strict=True))
            campaign.prove([row for row in rows if campaign.fate[row] == "rejected"], attempt.taken.attempt)
            if "u" in letters:
                campaign.plan(n, self.ledger.now)
            if kind == "refused":
                campaign.refuse(attempt.taken_at, self.ledger.now)
            if kind == "ok":
                campaign.refusals = 0
            campaign.finish_when_done()
        if is_repeated:
            assert self.ledger.settle(attempt.taken, letters, account=attempt.account) in ("already", "gone")

    @precondition(lambda self: self.attempts)
    @rule(
        which=pick,
        kind=st.sampled_from(["none", "none", "none", "unsent", "throttled", "hold", "ok"]),
        pause_s=st.sampled_from([0, 1, 30]),
        why=st.sampled_from(["", "", "refused"]),
        is_repeated=st.booleans(),
    )
    def give_back(self, which, kind, pause_s, why, is_repeated):
        attempt = self.attempt(which)
        pause_s = pause_s if kind == "throttled" else 0
        options = {"pause_s": pause_s, "pause_campaign": why, "account": attempt.account}
        word = self.ledger.back(attempt.taken, kind, **options)
        assert word == {"sending": "back", "expired": "late", "ended": "gone"}[attempt.state]
        if word != "gone":
            self.return_to_queue(attempt, kind, why)
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
            case "cancel":
                self.cancel(which)
            case "hold":
                self.ledger.hold(account)
            case "open":
                self.ledger.open(account)

    def pause(self, which):
        name, campaign = self.campaign(which)
        if campaign.state == "producing":
            campaign.hold = "by hand"
        if campaign.state == "running":
            campaign.state = "paused"
        assert self.ledger.pause(name) == campaign.state

    def resume(self, which):
        name, campaign = self.campaign(which)
        if campaign.state == "producing":
            campaign.hold = ""
        if campaign.state == "paused":
            campaign.state, campaign.resumed_at, campaign.refusals = "running", self.ledger.now, 0
        assert self.ledger.resume(name) == campaign.state

    def cancel(self, which):
        name, campaign = self.campaign(which)
        if campaign.state not in ("finished", "cancelled"):
            campaign.state = "cancelled"
            campaign.mark([row for row, word in campaign.fate.items() if word == "pending"], "cancelled")
            campaign.queue.clear()
        assert self.ledger.cancel(name) == campaign.state

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
            if how.startswith("steps"):
                self.last_slot.clear()
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
        due = [(name, n) for name, each in self.campaigns.items() for n, at in each.planned.items() if at <= now]
        assert sorted(swept.resends) == sorted(due)
        self.named += [each for each in due if each not in self.named]

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
            attempt.state = "expired"
            campaign.count["calls"] += 1
            campaign.mark(rows, "unconfirmed")
            campaign.plan(n, self.ledger.now + EXPIRY_S * S)
            campaign.finish_when_done()

    # --- the model

    def campaign(self, which):
        name = NAMES[which % len(self.campaigns)]
        return name, self.campaigns[name]

    def attempt(self, which):
        return one_of(which, self.attempts, [each for each in self.attempts if each.state != "ended"])

    def owner(self, which):
        return self.owners[which % len(self.owners)]

    def on_record(self):
        return [*self.attempts, *self.crashed, *(held for *_, held in self.unanswered if held)]

    def sent_by(self, attempt):
        """Return the campaign, the batch's number and the rows of an attempt."""
        campaign, n = self.campaigns[attempt.taken.campaign], attempt.taken.batch
        return campaign, n, campaign.batches[n]

    def take_some(self, owner, account, ids):
        """Take, and hold the ledger to every promise about what it gives; return the new attempts."""
        ledger = self.ledger
        seated = {name.decode() for name in ledger.redis.zrangebyscore(keys.seats(account), f"({ledger.now}", "+inf")}
        held = ledger.lane_field("state", account) == "held"
        on_wire = sum(
            attempt.state == "sending" and attempt.account == account and attempt.owner in seated
            for attempt in self.on_record()
        )
        turn = ledger.take(
            ids=ids, owner=owner, account=account, seated=False, lookahead_us=S, lead_us=0, expiry_s=EXPIRY_S
        )
        if held and owner in seated:
            assert turn == Stop()
        if not isinstance(turn, Batches):
            return []
        assert owner in seated
        assert not held
        assert on_wire + len(turn.taken) <= CONCURRENCY
        attempts = [Attempt(account, owner, taken, ledger.now) for taken in turn.taken]
        for taken in turn.taken:
            assert taken.slot_us >= max(ledger.now, self.last_slot.get(account, 0) + ACCOUNTS[account])
            assert ledger.now <= taken.slot_us <= ledger.now + S
            self.last_slot[account] = taken.slot_us
            self.put_on_wire(account, taken)
        return attempts

    def put_on_wire(self, account, taken):
        campaign, n = self.campaigns[taken.campaign], taken.batch
        assert campaign.state == "running"
        assert account in campaign.accounts
        assert campaign.queue.pop(0) == n
        rows = campaign.batches[n]
        assert unpack(taken.packed).rows == rows
        for row in rows:
            assert campaign.fate[row] == "pending"
            # No attempt may have brought it, or one whose answer is missing and which is resent here.
            assert len(campaign.reached[row]) <= (n in campaign.second), "twice, with no proof that nobody got it"
            campaign.reached[row].add(taken.attempt)
        campaign.mark(rows, "in_flight")

    def told(self, attempt):
        """Write down that its holder has told what came of the attempt; return whether it had expired before."""
        campaign, n, _ = self.sent_by(attempt)
        late = attempt.state == "expired"
        attempt.state = "ended"
        campaign.count["calls"] += not late
        campaign.planned.pop(n, None)
        return late

    def return_to_queue(self, attempt, kind, why):
        """The holder proved that nothing of the batch was accepted."""
        campaign, n, rows = self.sent_by(attempt)
        self.told(attempt)
        campaign.prove(rows, attempt.taken.attempt)
        campaign.count["calls"] -= kind in ("none", "unsent")
        campaign.count["throttled"] += kind == "throttled"
        if campaign.wait(rows):
            campaign.queue.insert(0, n)
        if why and campaign.state == "running" and not campaign.is_stale(attempt.taken_at, self.ledger.now):
            campaign.state = "paused"

    def divide(self, attempt):
        """The call was refused because of something in its batch."""
        word = self.ledger.refuse(attempt.taken, attempt.account)
        if attempt.state == "ended":
            assert word == "gone"
            return
        campaign, n, rows = self.sent_by(attempt)
        self.told(attempt)
        campaign.prove(rows, attempt.taken.attempt)
        if len(rows) == 1 and ("accepted" in campaign.fate.values() or len(campaign.fate) == 1):
            assert word == "rejected"
            campaign.mark(rows, "rejected")
        elif len(rows) == 1 or campaign.state == "cancelled":
            assert word == "back"
            if campaign.wait(rows):
                campaign.queue.append(n)
        else:
            assert word == "split"
            made = [campaign.move(half) for half in (rows[: len(rows) // 2], rows[len(rows) // 2 :])]
            campaign.second.update(made if n in campaign.second else [])
        campaign.refuse(attempt.taken_at, self.ledger.now)
        campaign.finish_when_done()

    def send_once_more(self, name, n):
        campaign = self.campaigns[name]
        word = self.ledger.resend(n, name)
        if campaign.planned.get(n, float("inf")) > self.ledger.now:
            assert word == "gone"
            return
        del campaign.planned[n]
        if campaign.state == "cancelled":
            assert word == "dropped"
            return
        assert word == "resent"
        rows = tuple(row for row in campaign.batches[n] if campaign.fate[row] == "unconfirmed")
        campaign.second.add(campaign.move(rows))
        for attempt in self.on_record():
            if (attempt.taken.campaign, attempt.taken.batch, attempt.state) == (name, n, "expired"):
                attempt.state = "ended"  # its late answer comes too late

    # --- what holds after every step

    @invariant()
    def the_law_holds_and_every_counter_is_what_happened(self):
        for name, campaign in self.campaigns.items():
            fields = self.ledger.fields(keys.campaign(name))
            count = {counter: int(fields[counter]) for counter in COUNTERS}
            assert count == campaign.counts()
            assert count["rows"] == count["invalid"] + count["duplicate"] + count["suppressed"] + count["queued"]
            waiting = count["pending"] + count["in_flight"]
            ended = sum(count[word] for word in ("accepted", "rejected", "unconfirmed", "expired", "cancelled"))
            assert count["queued"] == waiting + ended
            assert min(count.values()) >= 0
            assert fields["state"] == campaign.state
            assert campaign.state != "finished" or not (waiting or campaign.planned)
            assert int(fields["resends"]) == len(campaign.planned)
            assert int(fields.get("refusals", 0)) == campaign.refusals
            assert self.ledger.queue(name) == campaign.queue
            if self.seen.get(name) != fields:
                self.seen[name] = fields
                self.recount(name)

    def recount(self, name):
        """Each row of the input stands in the report once, with what became of it, and the audit finds nothing."""
        campaign = self.campaigns[name]
        assert audit(self.ledger.redis, name) == ()
        batch_of = {row: n for n, rows in sorted(campaign.batches.items()) for row in rows}
        lines = list(report_rows(self.ledger.redis, name))
        assert [(line.row, line.outcome) for line in lines] == sorted((campaign.passed | campaign.fate).items())
        for line in lines:
            n = batch_of.get(line.row)
            assert line.batch == n
            has_gone = line.outcome in ("in_flight", *WORDS.values())
            assert line.attempts == has_gone + (n in campaign.second)

    @invariant()
    def what_is_due_for_its_resend_is_what_stayed_unconfirmed(self):
        planned = {
            f"{name} {n}".encode(): due
            for name, campaign in self.campaigns.items()
            for n, due in campaign.planned.items()
        }
        assert dict(self.ledger.redis.zrange(f"{keys.PREFIX}resends", 0, -1, withscores=True)) == planned
        for campaign in self.campaigns.values():
            assert all("unconfirmed" in map(campaign.fate.get, campaign.batches[n]) for n in campaign.planned)

    @invariant()
    def what_is_sending_is_recorded_alike_everywhere(self):
        sending = {(each.account, each.taken.attempt): each for each in self.on_record() if each.state == "sending"}
        members = self.ledger.redis.zrange(keys.ATTEMPTS, 0, -1)
        assert {tuple(member.decode().split()) for member in members} == set(sending)
        held = {
            (account, attempt.decode())
            for account in ACCOUNTS
            for attempt in self.ledger.redis.hkeys(keys.lane_attempts(account))
        }
        assert held == set(sending)
        for (account, attempt), each in sending.items():
            batch = self.ledger.batch(each.taken.batch, each.taken.campaign)
            assert (batch["state"], batch["attempt"], batch["account"]) == ("sending", attempt, account)

    @invariant()
    def no_lane_with_work_is_forgotten(self):
        for account in ACCOUNTS:
            listed = {name.decode() for name in self.ledger.redis.zrange(keys.lane_campaigns(account), 0, -1)}
            running = {
                name: campaign
                for name, campaign in self.campaigns.items()
                if campaign.state == "running" and account in campaign.accounts
            }
            waiting = {name for name, campaign in running.items() if campaign.queue}
            assert waiting <= listed <= set(running)
            if waiting and self.ledger.due(account) is None:
                assert self.ledger.lane_field("state", account) == "held"

    def teardown(self):
        """Whatever has happened: an operator's word and one sound worker bring every campaign to its end."""
        if not self.campaigns:
            return  # nothing has begun
        while self.unanswered:
            self.void(0, is_repeated=False)
        for attempt in [each for each in self.attempts if each.state == "sending"]:
            self.tell(attempt, "a" * LARGEST, "ok")
        self.let_time_pass(0, 130, "sweeps")
        assert self.ledger.redis.zcard(keys.ATTEMPTS) == 0, "dead workers' batches never end"
        for which in range(len(self.campaigns)):
            self.start(which, hold="")
            self.resume(which)
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
        deadline=None,
        phases=[Phase.explicit, Phase.reuse, Phase.generate, *shrinking],
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(lambda: LawMachine(quick), settings=profile)
