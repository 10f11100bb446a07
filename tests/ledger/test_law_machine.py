"""The ledger under any interleaving: the law holds after every step, and nobody is ever on the wire twice.

The machine plays campaigns' producers, several worker processes that die, lose answers and wake up late, the operator,
and a clock that steps. Its model is what a witness at the gateways' side of the wire would write down.
`BULKSEND_TEST_EXAMPLES` sets how many interleavings are tried (100 without it).
"""

import os
from collections import Counter
from dataclasses import dataclass, field

import pytest
from hypothesis import HealthCheck, settings
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
from worker.ledger.production import Continue, Whole
from worker.ledger.reading import COUNTERS
from worker.ledger.sending import Batches, Stop, Taken

S = 1_000_000
ACCOUNTS = {"main": S // 300, "spare": S // 10}
"""Accounts and the microseconds between their calls: main has two seats, spare has one."""

CONCURRENCY = 3
WORDS = {"a": "accepted", "r": "rejected", "u": "unconfirmed"}
NAMES = ("c0", "c1", "c2")

pick = st.integers(min_value=0, max_value=99)
account_names = st.sampled_from(sorted(ACCOUNTS))
sizes = st.lists(st.integers(min_value=0, max_value=3), min_size=1, max_size=4)


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
    state: str = "producing"
    token: str = "first"
    hold: str = ""
    stretches: dict = field(default_factory=dict)
    queue: list = field(default_factory=list)
    count: Counter = field(default_factory=Counter)
    resumed_at: int = 0
    on_wire: dict = field(default_factory=dict)  # batch → the attempt that may have brought it to people

    @property
    def position(self):
        return self.count["rows"]

    def finish_when_done(self):
        if self.state in ("running", "paused") and not self.count["pending"] and not self.count["in_flight"]:
            self.state = "finished"


class LawMachine(RuleBasedStateMachine):
    def __init__(self, ledger):
        super().__init__()
        ledger.wipe()
        self.ledger = ledger
        self.campaigns = {}
        self.attempts = []  # whose process lives and knows of them, whatever became of them
        self.unanswered = []  # (account, id) of takes whose answer was lost
        self.crashed = []
        self.owners = ["w0", "w1"]
        self.born = 2
        self.last_slot = {}

    # --- production

    @initialize(sizes=sizes)
    def begin_with_one_that_runs(self, sizes):
        self.begin(0, both=True)
        self.append(0, sizes, 1, 0)
        self.start(0, hold="")
        for owner in self.owners:
            for account in ACCOUNTS:
                self.sit(owner, account)

    @precondition(lambda self: len(self.campaigns) < len(NAMES))
    @rule(which=pick, both=st.booleans())
    def begin(self, which, both):
        name = NAMES[len(self.campaigns)]
        accounts = tuple(ACCOUNTS) if both else (sorted(ACCOUNTS)[which % 2],)
        self.ledger.begin(name, token="first", accounts=accounts)
        self.campaigns[name] = Campaign(accounts=accounts, resumed_at=self.ledger.now)

    @rule(which=pick, sizes=sizes, invalid=st.integers(0, 2), duplicate=st.integers(0, 2))
    def append(self, which, sizes, invalid, duplicate):
        name, campaign = self.campaign(which)
        written = self.ledger.append(sizes, name, campaign.token, campaign.position, invalid, duplicate)
        assert written == (campaign.state == "producing")
        if not written:
            return
        for size in sizes:
            n = len(campaign.stretches) + 1
            campaign.stretches[n] = size
            if size:
                campaign.queue.append(n)
        total = sum(sizes)
        campaign.count.update(queued=total, pending=total, batches=sum(size > 0 for size in sizes))
        campaign.count.update(rows=total + invalid + duplicate, invalid=invalid, duplicate=duplicate)

    @rule(which=pick, sizes=sizes)
    def append_as_a_producer_that_lost_it(self, which, sizes):
        name, campaign = self.campaign(which)
        assert not self.ledger.append(sizes, name, "lost", campaign.position)
        assert self.ledger.start(name, "lost", campaign.position) == ""
        self.ledger.discard(name, "lost")

    @rule(which=pick)
    def continue_production(self, which):
        name, campaign = self.campaign(which)
        opening = self.ledger.begin(name, token=campaign.token + "+", accounts=campaign.accounts)
        if campaign.state == "producing":
            assert isinstance(opening, Continue)
            assert opening.position == campaign.position
            campaign.token += "+"
        else:
            assert opening == Whole(state=campaign.state)

    @rule(which=pick, hold=st.sampled_from(["", "", "waits"]))
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

    @rule(which=pick, account=account_names)
    def sit_down(self, which, account):
        self.sit(self.owner(which), account)

    def sit(self, owner, account):
        self.ledger.lane(account, owner, call_us=ACCOUNTS[account], concurrency=CONCURRENCY)

    @rule(which=pick, account=account_names)
    def leave(self, which, account):
        due = self.ledger.due(account)
        left = type(self.ledger.leave(self.owner(which), account)).__name__
        assert left == ("Stay" if due is not None and due <= 0 else "Left")

    @rule(which=pick, account=account_names, count=st.integers(0, 5))
    def take(self, which, account, count):
        self.attempts += self.take_some(self.owner(which), account, self.ledger.new_ids(count))

    @rule(which=pick, account=account_names, count=st.integers(1, 3))
    def take_and_lose_the_answer(self, which, account, count):
        ids = self.ledger.new_ids(count)
        taken = {attempt.taken.attempt: attempt for attempt in self.take_some(self.owner(which), account, ids)}
        self.unanswered += [(account, each, taken.get(each)) for each in ids]

    @rule(which=pick, account=account_names)
    def void_an_id_whose_take_arrives_later(self, which, account):
        (attempt,) = self.ledger.new_ids(1)
        assert self.ledger.void(attempt, account) == "gone"
        assert self.take_some(self.owner(which), account, [attempt]) == []

    @precondition(lambda self: self.unanswered)
    @rule(which=pick, is_repeated=st.booleans())
    def void(self, which, is_repeated):
        account, attempt, held = self.unanswered.pop(which % len(self.unanswered))
        word = self.ledger.void(attempt, account)
        assert word == ("back" if held and held.state == "sending" else "gone")
        if word == "back":
            self.return_to_queue(held, "none", "")
        if is_repeated:
            assert self.ledger.void(attempt, account) == "gone"

    @precondition(lambda self: self.attempts)
    @rule(which=pick, letters=st.text("aaaaru", min_size=3, max_size=3), lost=st.booleans(), is_repeated=st.booleans())
    def settle(self, which, letters, lost, is_repeated):
        attempt = self.attempts[which % len(self.attempts)]
        campaign, n = self.campaigns[attempt.taken.campaign], attempt.taken.batch
        size = campaign.stretches[n]
        letters = "u" * size if lost else letters[:size]
        word = self.ledger.settle(attempt.taken, letters, "lost" if lost else "ok", account=attempt.account)
        expected = {"sending": ["settled"], "expired": ["late"], "ended": ["already", "gone"]}
        assert word in expected[attempt.state]
        if attempt.state == "sending":
            campaign.count.update(in_flight=-size, calls=1)
        if attempt.state == "expired":
            campaign.count["unconfirmed"] -= size
        if attempt.state != "ended":
            campaign.count.update(WORDS[letter] for letter in letters)
            campaign.finish_when_done()
        attempt.state = "ended"
        if is_repeated:
            assert self.ledger.settle(attempt.taken, letters, account=attempt.account) in ("already", "gone")

    @precondition(lambda self: self.attempts)
    @rule(
        which=pick,
        kind=st.sampled_from(["none", "none", "unsent", "throttled", "hold", "ok"]),
        pause_s=st.sampled_from([0, 1, 30]),
        why=st.sampled_from(["", "", "refused"]),
        is_repeated=st.booleans(),
    )
    def give_back(self, which, kind, pause_s, why, is_repeated):
        attempt = self.attempts[which % len(self.attempts)]
        pause_s = pause_s if kind == "throttled" else 0
        options = {"pause_s": pause_s, "pause_campaign": why, "account": attempt.account}
        word = self.ledger.back(attempt.taken, kind, **options)
        assert word == {"sending": "back", "expired": "late", "ended": "gone"}[attempt.state]
        if word != "gone":
            self.return_to_queue(attempt, kind, why)
        if is_repeated:
            assert self.ledger.back(attempt.taken, kind, **options) == "gone"

    @rule(which=pick)
    def crash(self, which):
        owner = self.owner(which)
        self.crashed += [attempt for attempt in self.attempts if attempt.owner == owner]
        self.attempts = [attempt for attempt in self.attempts if attempt.owner != owner]
        self.owners.remove(owner)
        self.owners.append(f"w{self.born}")
        self.born += 1

    # --- the operator

    @rule(which=pick)
    def pause(self, which):
        name, campaign = self.campaign(which)
        if campaign.state == "producing":
            campaign.hold = "by hand"
        if campaign.state == "running":
            campaign.state = "paused"
        assert self.ledger.pause(name) == campaign.state

    @rule(which=pick)
    def resume(self, which):
        name, campaign = self.campaign(which)
        if campaign.state == "producing":
            campaign.hold = ""
        if campaign.state == "paused":
            campaign.state, campaign.resumed_at = "running", self.ledger.now
        assert self.ledger.resume(name) == campaign.state

    @rule(which=pick, is_sure=st.booleans())
    def cancel(self, which, is_sure):
        name, campaign = self.campaign(which)
        if not is_sure:
            return
        if campaign.state not in ("finished", "cancelled"):
            campaign.state = "cancelled"
            campaign.count.update(cancelled=campaign.count["pending"])
            campaign.count["pending"] = 0
            campaign.queue.clear()
        assert self.ledger.cancel(name) == campaign.state

    @rule(account=account_names)
    def hold(self, account):
        self.ledger.hold(account)

    @rule(account=account_names)
    def open(self, account):
        self.ledger.open(account)

    # --- time

    @rule(seconds=st.sampled_from([0.01, 0.3, 1, 1, 6, 20]))
    def let_time_pass(self, seconds):
        self.ledger.pass_s(seconds)

    @rule(seconds=st.sampled_from([-3600, -30, -0.05, 30, 3600]))
    def step_the_clock(self, seconds):
        self.ledger.pass_s(seconds)
        self.last_slot.clear()

    @rule(seconds=st.sampled_from([1, 5, 45]), which=pick)
    def let_time_pass_with_sweeps(self, seconds, which):
        for _ in range(seconds):
            self.ledger.pass_s(1)
            self.sweep(which)

    @rule(which=pick)
    def sweep(self, which):
        expired = self.ledger.sweep(self.owner(which)).expired
        if not expired:
            return
        members = {member.decode().split()[1] for member in self.ledger.redis.zrange(keys.ATTEMPTS, 0, -1)}
        gone = [each for each in self.on_record() if each.state == "sending" and each.taken.attempt not in members]
        assert len(gone) == expired
        for attempt in gone:
            attempt.state = "expired"
            campaign = self.campaigns[attempt.taken.campaign]
            size = campaign.stretches[attempt.taken.batch]
            campaign.count.update(in_flight=-size, unconfirmed=size, calls=1)
            campaign.finish_when_done()

    # --- the model

    def campaign(self, which):
        name = NAMES[which % len(self.campaigns)]
        return name, self.campaigns[name]

    def owner(self, which):
        return self.owners[which % len(self.owners)]

    def on_record(self):
        return [*self.attempts, *self.crashed, *(held for *_, held in self.unanswered if held)]

    def take_some(self, owner, account, ids):
        """Take, and hold the ledger to every promise about what it gives; return the new attempts."""
        ledger = self.ledger
        seated = {name.decode() for name in ledger.redis.zrangebyscore(keys.seats(account), f"({ledger.now}", "+inf")}
        held = ledger.lane_field("state", account) == "held"
        on_wire = sum(
            attempt.state == "sending" and attempt.account == account and attempt.owner in seated
            for attempt in self.on_record()
        )
        turn = ledger.take(ids=ids, owner=owner, account=account, seated=False, lookahead_us=S, lead_us=0)
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
            campaign = self.campaigns[taken.campaign]
            assert campaign.state == "running"
            assert account in campaign.accounts
            assert campaign.queue.pop(0) == taken.batch
            assert taken.batch not in campaign.on_wire, "on the wire twice, with no proof that nobody got it"
            campaign.on_wire[taken.batch] = taken.attempt
            size = campaign.stretches[taken.batch]
            campaign.count.update(pending=-size, in_flight=size)
        return attempts

    def return_to_queue(self, attempt, kind, why):
        """The holder proved that nothing of the batch was accepted."""
        campaign, n = self.campaigns[attempt.taken.campaign], attempt.taken.batch
        size, late = campaign.stretches[n], attempt.state == "expired"
        attempt.state = "ended"
        assert campaign.on_wire.pop(n) == attempt.taken.attempt
        campaign.count["unconfirmed" if late else "in_flight"] -= size
        campaign.count["calls"] += (kind not in ("none", "unsent")) - late
        campaign.count["throttled"] += kind == "throttled"
        if campaign.state == "cancelled":
            campaign.count["cancelled"] += size
            return
        campaign.count["pending"] += size
        campaign.queue.insert(0, n)
        taken_at, since, now = attempt.taken_at, campaign.resumed_at, self.ledger.now
        is_stale = taken_at < since and (since <= now or taken_at > now)
        if campaign.state in ("running", "finished"):
            campaign.state = "paused" if why and not is_stale else "running"

    # --- what holds after every step

    @invariant()
    def the_law_holds_and_every_counter_is_what_happened(self):
        for name, campaign in self.campaigns.items():
            fields = self.ledger.fields(keys.campaign(name))
            count = {counter: int(fields[counter]) for counter in COUNTERS}
            assert count == {counter: campaign.count[counter] for counter in COUNTERS}
            assert count["rows"] == count["invalid"] + count["duplicate"] + count["suppressed"] + count["queued"]
            waiting = count["pending"] + count["in_flight"]
            ended = sum(count[word] for word in ("accepted", "rejected", "unconfirmed", "expired", "cancelled"))
            assert count["queued"] == waiting + ended
            assert min(count.values()) >= 0
            assert fields["state"] == campaign.state
            assert not waiting or campaign.state != "finished"
            assert self.ledger.queue(name) == campaign.queue
            assert count["pending"] == sum(campaign.stretches[n] for n in campaign.queue)

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
        for name, campaign in self.campaigns.items():
            for account in ACCOUNTS:
                listed = self.ledger.redis.zscore(keys.lane_campaigns(account), name) is not None
                if campaign.state == "running" and campaign.queue and account in campaign.accounts:
                    assert listed
                    assert self.ledger.lane_field("state", account) == "held" or self.ledger.due(account) is not None
                if campaign.state != "running" or account not in campaign.accounts:
                    assert not listed

    def teardown(self):
        """Whatever has happened: an operator's word and one sound worker bring every campaign to its end."""
        if not self.campaigns:
            return
        while self.unanswered:
            self.void(0, is_repeated=False)
        for attempt in [each for each in self.attempts if each.state == "sending"]:
            self.settle(self.attempts.index(attempt), "aaa", lost=False, is_repeated=False)
        for _ in range(130):
            self.ledger.pass_s(1)
            self.sweep(0)
        assert self.ledger.redis.zcard(keys.ATTEMPTS) == 0, "dead workers' batches never end"
        for which in range(len(self.campaigns)):
            self.start(which, hold="")
            self.resume(which)
        for account in ACCOUNTS:
            self.open(account)
            self.work_off(account)
        self.the_law_holds_and_every_counter_is_what_happened()
        assert {campaign.state for campaign in self.campaigns.values()} <= {"finished", "cancelled"}

    def work_off(self, account):
        for _ in range(100):
            self.sit("last", account)
            attempts = self.take_some("last", account, self.ledger.new_ids(3))
            for attempt in attempts:
                self.attempts.append(attempt)
                self.settle(len(self.attempts) - 1, "aaa", lost=False, is_repeated=False)
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
    profile = settings(
        max_examples=int(os.environ.get("BULKSEND_TEST_EXAMPLES", "100")),
        stateful_step_count=40,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(lambda: LawMachine(quick), settings=profile)
