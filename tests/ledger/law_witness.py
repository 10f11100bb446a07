"""The witness at the gateways' side of the wire: what every step of the ledger must have done, and what always holds.

The rules of the game are in test_law_machine.py. Here the ledger is asked, and held to the model (law_model.py).
"""

import math

from hypothesis.stateful import RuleBasedStateMachine, invariant

from worker.ledger import keys
from worker.ledger.audit import audit
from worker.ledger.reading import COUNTERS
from worker.ledger.record import report_rows
from worker.ledger.resolving import Open, unresolved
from worker.ledger.taking import Batches, Stop

from .conftest import REFUSAL, S
from .law_model import WORDS, Attempt

ACCOUNTS = {"main": S // 300, "spare": S // 10, "single": S // 20}
"""Accounts and the microseconds between their calls: main has two seats, the others have one."""

LIMITS = {"main": 100, "spare": 100, "single": 1}
"""How many messages a call through the account may carry."""

CONCURRENCY = 3
EXPIRY_S = 40

NAMES = ("c0", "c1", "c2", "c3")


class Witness(RuleBasedStateMachine):
    """The campaigns' models, whatever is on the wire, and the checks."""

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

    def campaign(self, which):
        name = NAMES[which % len(self.campaigns)]
        return name, self.campaigns[name]

    def owner(self, which):
        return self.owners[which % len(self.owners)]

    def on_record(self):
        return [*self.attempts, *self.crashed, *(held for *_, held in self.unanswered if held)]

    def sent_by(self, attempt):
        """Return the campaign, the batch's number and the rows of an attempt."""
        return self.campaigns[attempt.taken.campaign], attempt.taken.batch, attempt.rows

    def take_some(self, owner, account, ids):
        """Take, and hold the ledger to every promise about what it gives; return the new attempts."""
        ledger = self.ledger
        seated = {name.decode() for name in ledger.redis.zrangebyscore(keys.seats(account), f"({ledger.now}", "+inf")}
        held, probes = self.is_held(account)
        on_wire = sum(
            attempt.state == "sending" and attempt.account == account and attempt.owner in seated
            for attempt in self.on_record()
        )
        for campaign in self.campaigns.values():
            closes = campaign.hours[1] if campaign.hours else math.inf
            campaign.rests = campaign.rests or ledger.now + S >= min(closes, campaign.ends_at or math.inf)
        turn = ledger.take(
            ids=ids,
            owner=owner,
            account=account,
            seated=False,
            lookahead_us=S,
            expiry_s=EXPIRY_S,
            limit=LIMITS[account],
        )
        if held and not probes and owner in seated:
            assert turn == Stop()
        if not isinstance(turn, Batches):
            return []
        assert owner in seated
        assert not held or (probes and on_wire == 0 and len(turn.taken) == 1)
        assert on_wire + len(turn.taken) <= CONCURRENCY
        attempts = []
        for taken in turn.taken:
            assert taken.slot_us >= max(ledger.now, self.last_slot.get(account, 0) + ACCOUNTS[account])
            assert ledger.now <= taken.slot_us <= ledger.now + S
            self.last_slot[account] = taken.slot_us
            attempts.append(Attempt(account, owner, taken, self.put_on_wire(account, taken), ledger.now))
        return attempts

    def is_held(self, account):
        """Return whether the account is held, and whether one batch may be tried now all the same."""
        lane, now = self.ledger.fields(keys.lane(account)), self.ledger.now
        probe_at = float(lane.get("probe_at", 0))
        probes = probe_at > 0 and min(probe_at, now + float(lane["probe_us"])) <= now
        return lane.get("state") == "held", probes

    def put_on_wire(self, account, taken):
        """Return the rows that go."""
        campaign = self.campaigns[taken.campaign]
        assert campaign.state == "running"
        assert account in set(campaign.accounts) - campaign.out
        assert taken.slot_us < (campaign.ends_at or math.inf)
        assert campaign.hours is None or taken.slot_us < campaign.hours[1]
        n = campaign.queue[0]
        if len(campaign.batches[n]) > LIMITS[account]:
            n = campaign.part(n)
        else:
            campaign.queue.pop(0)
        rows = campaign.here[n]
        assert (taken.batch, taken.content().rows) == (n, rows)
        for row in rows:
            assert campaign.fate[row] == "pending"
            assert row not in campaign.news, "a report has said that this person has it"
            # No attempt may have brought it, or one whose answer is missing and which is resent here.
            assert len(campaign.reached[row]) <= campaign.again[row], "twice, with no proof that nobody got it"
            campaign.reached[row].add(taken.attempt)
            campaign.went[row].append(n)
        campaign.mark(rows, "in_flight")
        return rows

    def told(self, attempt):
        """Write down that its holder has told what came of the attempt; return whether it had expired before."""
        campaign, n, _ = self.sent_by(attempt)
        late = attempt.state == "expired"
        campaign.forget(n)
        attempt.state = "ended"
        campaign.count["calls"] += not late
        return late

    def return_to_queue(self, attempt, kind, why="", *, only_here=False):
        """The holder proved that nothing of the batch was accepted."""
        campaign, n, rows = self.sent_by(attempt)
        self.told(attempt)
        campaign.prove(rows, attempt.taken.attempt)
        campaign.count["calls"] -= kind in ("none", "unsent")
        campaign.count["throttled"] += kind == "throttled"
        if why:
            campaign.refuse_here(attempt, only_here, self.ledger.now)
        if campaign.wait(n, rows):
            campaign.queue.insert(0, n)
        campaign.finish_when_done()

    def go_again(self, attempt, rows):
        """The gateway did not take these of an attempt's messages, for a reason of its account."""
        campaign, n, _ = self.sent_by(attempt)
        campaign.prove(rows, attempt.taken.attempt)
        child = campaign.move(rows, first=True)
        campaign.second.update([child] if n in campaign.second else [])

    def divide(self, attempt):
        """The call was refused because of something in its batch."""
        word = self.ledger.refuse(attempt.taken, attempt.account)
        if attempt.state == "ended":
            assert word == "gone"
            return
        campaign, n, rows = self.sent_by(attempt)
        has_passed = campaign.has_passed or "accepted" in campaign.fate.values() or len(campaign.fate) == 1
        self.told(attempt)
        campaign.prove(rows, attempt.taken.attempt)
        if len(rows) == 1 and has_passed:
            assert word == "rejected"
            campaign.land([(rows[0], "r")])
            campaign.labels[rows[0]] = f"{REFUSAL.code} {REFUSAL.reason}"
        elif len(rows) == 1 or campaign.over:
            assert word == "back"
            if campaign.wait(n, rows):
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
        elif campaign.over:
            assert word == "dropped"
            del campaign.planned[n]
            campaign.finish_when_done()
        else:
            assert word == "resent"
            campaign.send_again(n)

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
        assert (
            self.ledger.fields(keys.codes(name)).items()
            >= {words: str(count) for words, count in campaign.codes().items()}.items()
        )
        lines = list(report_rows(self.ledger.redis, name))
        assert [(line.row, line.outcome) for line in lines] == sorted((campaign.passed | campaign.fate).items())
        for line in lines:
            row = line.row
            assert line.batch == campaign.home.get(row)
            has_gone = line.outcome in ("in_flight", *WORDS.values()) and row not in campaign.stayed
            assert line.attempts == has_gone + campaign.again[row]
            if row in campaign.fate:
                assert line.delivery == campaign.delivery(row)
            if line.outcome == "accepted":
                assert line.gateway_id == (campaign.named.get(row) or campaign.told_name.get(row))
        assert list(unresolved(self.ledger.redis, name)) == [
            Open(batch=n, messages=len(rows)) for n in sorted(campaign.batches) if (rows := campaign.unconfirmed(n))
        ]

    @invariant()
    def what_is_due_for_its_resend_is_what_stayed_unconfirmed(self):
        planned = {
            f"{name} {n}".encode(): due
            for name, campaign in self.campaigns.items()
            for n, due in campaign.planned.items()
        }
        assert dict(self.ledger.redis.zrange(f"{keys.PREFIX}resends", 0, -1, withscores=True)) == planned
        for campaign in self.campaigns.values():
            assert all(campaign.unconfirmed(n) for n in campaign.planned)

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
        """Whoever has something to send is in its lanes, or in the set that brings it there in time."""
        waiting = {name: each for name, each in self.campaigns.items() if each.state == "running"}
        for name, campaign in self.campaigns.items():
            closing = self.ledger.redis.zscore(f"{keys.PREFIX}hours", name)
            if campaign.state == "running" and campaign.hours and campaign.queue:
                assert closing in (*campaign.hours, campaign.resumed_at)  # looked up anew when it is resumed
            if campaign.hours and closing != campaign.hours[1]:
                waiting.pop(name, None)  # it was outside its hours, and is looked at when they open
            if campaign.state == "scheduled":
                assert self.ledger.redis.zscore(f"{keys.PREFIX}starts", name) == campaign.starts_at
            if campaign.is_due_to_end:
                assert self.ledger.redis.zscore(f"{keys.PREFIX}ends", name) == campaign.ends_at
        for account in ACCOUNTS:
            listed = {name.decode() for name in self.ledger.redis.zrange(keys.lane_campaigns(account), 0, -1)}
            mine = {name for name, each in self.campaigns.items() if account in set(each.accounts) - each.out}
            assert listed <= mine & {name for name, each in self.campaigns.items() if each.state == "running"}
            must = {name for name in mine & set(waiting) if waiting[name].queue and not waiting[name].rests}
            assert must <= listed
            if any(self.campaigns[name].queue for name in listed) and self.ledger.due(account) is None:
                assert self.ledger.lane_field("state", account) == "held"
                assert float(self.ledger.lane_field("probe_at", account) or 0) == 0
