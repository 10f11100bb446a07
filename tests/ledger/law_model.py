"""What a witness at the gateways' side of the wire would write down of a campaign, person by person.

The state machine (law_witness.py) plays on the real ledger and tells its steps to this model; where the two differ
the ledger is wrong. Persons are named by their row. Nothing here looks at Redis.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass, field

from worker.ledger.reading import COUNTERS
from worker.ledger.settling import REFUSED_LIMIT
from worker.ledger.taking import Taken

WORDS = {"a": "accepted", "r": "rejected", "u": "unconfirmed"}
ON_THE_WAY = ("pending", "in_flight", "unconfirmed", "accepted")
"""Fates of those about whom a delivery report tells something."""

DELIVERY = {"1": "awaiting", "2": "undelivered", "3": "delivered", "4": "delivered"}


@dataclass
class Attempt:
    """One taking of a batch: sending, expired (settled by the sweep), or ended. `rows` are those on the wire."""

    account: str
    owner: str
    taken: Taken
    rows: tuple
    taken_at: int
    state: str = "sending"
    expired_at: int = 0


@dataclass
class Campaign:
    """One campaign; instants are microseconds, 0: never."""

    accounts: tuple
    resends: bool
    starts_at: int = 0
    ends_at: int = 0
    hours: tuple | None = None
    resumed_at: int = 0
    state: str = "producing"
    token: str = "first"
    hold: str = ""
    count: Counter = field(default_factory=Counter)  # what is not a person's fate
    passed: dict = field(default_factory=dict)  # row → invalid or duplicate
    stretches: int = 0
    # persons
    fate: dict = field(default_factory=dict)  # row → its outcome, for each message
    home: dict = field(default_factory=dict)  # row → the batch where it stands
    went: dict = field(default_factory=lambda: defaultdict(list))  # row → batches under which it was on the wire
    reached: dict = field(default_factory=lambda: defaultdict(set))  # row → attempts that may have brought it
    again: Counter = field(default_factory=Counter)  # row → how often it was decided to send to it once more
    news: dict = field(default_factory=dict)  # row → the greatest line of a delivery report
    named: dict = field(default_factory=dict)  # row → the id in the gateway's answer
    told_name: dict = field(default_factory=dict)  # row → the greatest id of a delivery report
    labels: dict = field(default_factory=dict)  # row → code and words of a refusal
    stayed: set = field(default_factory=set)  # rows accepted by a report while they waited
    # batches
    batches: dict = field(default_factory=dict)  # number → rows
    here: dict = field(default_factory=dict)  # number → rows that go with it, or went
    queue: list = field(default_factory=list)
    planned: dict = field(default_factory=dict)  # batch → when it is due for its resend
    second: set = field(default_factory=set)  # batches that are resends
    expired: dict = field(default_factory=dict)  # batch → its attempt that the sweep ended
    # what may keep it from sending
    out: set = field(default_factory=set)  # accounts that it has left
    refusals: int = 0
    has_passed: bool = False  # some call went through
    has_ended: bool = False
    is_due_to_start: bool = False
    is_due_to_end: bool = False
    rests: bool = False  # out of a lane since its end or its closing time is too near

    @property
    def position(self):
        return self.count["rows"]

    @property
    def over(self):
        """How messages end that would have to wait now."""
        return "expired" if self.has_ended else "cancelled" if self.state == "cancelled" else ""

    def is_open(self, now):
        return self.hours is None or self.hours[0] <= now < self.hours[1]

    def counts(self):
        counted = self.count + Counter(self.fate.values()) + Counter(map(self.delivery, self.fate))
        return {counter: counted[counter] for counter in COUNTERS} | {"queued": len(self.fate)}

    def delivery(self, row):
        if self.fate[row] != "accepted":
            return None
        return DELIVERY[self.news.get(row, "1")[0]]

    def codes(self):
        """How many messages were refused, or not delivered, for which reason."""
        refused = Counter(self.labels[row] for row, word in self.fate.items() if word == "rejected")
        failed = [self.news[row][16:] for row in self.fate if self.delivery(row) == "undelivered"]
        return refused + Counter("FAILED" if words == "- FAILED" else words for words in failed)

    # --- production

    def produce(self, size):
        """The next stretch has so many messages."""
        self.stretches += 1
        self.batches[self.stretches] = self.here[self.stretches] = rows = tuple(
            range(self.position + 1, self.position + 1 + size)
        )
        self.count["rows"] += size
        self.count["batches"] += size > 0
        self.mark(rows, "pending")
        self.home.update(dict.fromkeys(rows, self.stretches))
        if size:
            self.queue.append(self.stretches)

    def start(self, hold, now):
        is_early = self.starts_at > now
        self.state = "paused" if hold or self.hold else "scheduled" if is_early else "running"
        self.is_due_to_start = is_early
        self.is_due_to_end = self.ends_at > 0
        if 0 < self.ends_at <= now:
            self.end()
        self.finish_when_done()

    # --- persons

    def mark(self, rows, word):
        self.fate.update(dict.fromkeys(rows, word))

    def land(self, told):
        """An answer has told what came of these people, or its absence has; a report tells more than the latter.

        It tells more than a refusal, too, where the message went before.
        """
        for row, letter in told:
            is_reported = row in self.news and (letter == "u" or self.home[row] in self.second)
            self.fate[row] = "accepted" if is_reported else WORDS[letter]

    def unconfirmed(self, n):
        return [row for row in self.here[n] if self.home[row] == n and self.fate[row] == "unconfirmed"]

    def hear(self, row, line, name):
        """A delivery report tells of this person; return whether it changes anything, or is known."""
        fate, n = self.fate[row], self.home[row]
        # Its first call may have brought it.
        is_refused_again = fate == "rejected" and n in self.second
        has_ended_unsent = fate in ("cancelled", "expired") and n in self.second
        if fate not in ON_THE_WAY and not has_ended_unsent and not is_refused_again:
            return False
        if name and not self.named.get(row):
            self.told_name[row] = max(name, self.told_name.get(row, ""))
        self.news[row] = max(line, self.news.get(row, ""))
        if is_refused_again:
            self.fate[row] = "accepted"
        if fate == "unconfirmed":
            self.fate[row] = "accepted"
            if not self.unconfirmed(n):
                self.planned.pop(n, None)
        if fate == "pending" or has_ended_unsent:
            self.stay(n, [row])
            if not self.here[n] and n in self.queue:
                self.queue.remove(n)
        self.finish_when_done()
        return True

    def stay(self, n, rows):
        """These people have the message already: they do not go again."""
        self.mark(rows, "accepted")
        self.stayed.update(rows)
        self.here[n] = tuple(row for row in self.here[n] if row not in rows)

    def prove(self, rows, attempt):
        """Nothing of the attempt came to these people."""
        for row in rows:
            self.reached[row].discard(attempt)

    # --- batches

    def wait(self, n, rows):
        """These messages of a batch would go again; return whether some do."""
        self.stay(n, [row for row in rows if row in self.news])
        waiting = [row for row in rows if row not in self.news]
        self.mark(waiting, self.over or "pending")
        if waiting and not self.over and self.state == "finished":
            self.state = "running"
        return bool(waiting) and not self.over

    def next_number(self):
        return max(self.batches) + 1

    def part(self, n):
        """The first message that waits in the batch stands in one of its own; return its number."""
        number, (row, *rest) = self.next_number(), self.here[n]
        self.batches[number] = self.here[number] = (row,)
        self.home[row] = number
        self.here[n] = tuple(rest)
        if not rest:
            self.queue.remove(n)
        self.second.update([number] if n in self.second else [])
        return number

    def move(self, rows, *, first=False):
        """These messages stand in a new batch at the end of the queue, or in front of it; return its number."""
        number = self.next_number()
        self.batches[number] = self.here[number] = tuple(rows)
        self.home.update(dict.fromkeys(rows, number))
        if self.wait(number, rows):
            self.queue.insert(0 if first else len(self.queue), number)
        return number

    def plan(self, n, due):
        if self.resends and n not in self.second and self.unconfirmed(n):
            self.planned.setdefault(n, due)

    def send_again(self, n):
        """What is unconfirmed in the batch goes once more."""
        rows = self.unconfirmed(n)
        self.forget(n)
        self.again.update(rows)
        self.second.add(self.move(rows))

    def forget(self, n):
        """No late answer corrects the batch any more, and nothing of it goes again by itself."""
        self.planned.pop(n, None)
        if n in self.expired:
            self.expired.pop(n).state = "ended"

    # --- the campaign

    def is_stale(self, taken_at, now):
        return taken_at < self.resumed_at and (self.resumed_at <= now or taken_at > now)

    def refuse(self, taken_at, now):
        """One more call was refused."""
        if self.is_stale(taken_at, now):
            return
        self.refusals += 1
        if self.refusals >= REFUSED_LIMIT and self.state == "running":
            self.state = "paused"

    def refuse_here(self, attempt, only_here, now):
        """Every batch of it would be refused by the attempt's account, or by any account."""
        if self.state not in ("running", "finished") or self.is_stale(attempt.taken_at, now):
            return
        if only_here and set(self.accounts) - self.out - {attempt.account}:
            self.out.add(attempt.account)
        else:
            self.state = "paused"

    def resume(self, now):
        if self.state == "producing":
            self.hold = ""
        if self.state == "paused" or (self.state == "running" and self.out):
            self.state = "scheduled" if self.state == "paused" and self.starts_at > now else "running"
            self.is_due_to_start = self.is_due_to_start or self.state == "scheduled"
            self.resumed_at, self.refusals = now, 0
            self.out.clear()
        self.finish_when_done()

    def cancel(self):
        if self.state in ("finished", "cancelled"):
            return
        self.state = "cancelled"
        self.mark([row for row, word in self.fate.items() if word == "pending"], "cancelled")
        self.queue.clear()

    def come(self, now):
        """Start and end where the time has come and somebody looks."""
        if self.is_due_to_start and self.starts_at <= now:
            self.is_due_to_start = False
            if self.state == "scheduled":
                self.state = "running"
                self.finish_when_done()
        if self.is_due_to_end and self.ends_at <= now:
            self.is_due_to_end = False
            self.end()

    def end(self):
        if self.state == "cancelled":
            return
        self.has_ended = True
        self.mark([row for row, word in self.fate.items() if word == "pending"], "expired")
        self.queue.clear()
        self.finish_when_done()

    def finish_when_done(self):
        is_done = not self.planned and {"pending", "in_flight"}.isdisjoint(self.fate.values())
        if self.state in ("running", "paused") and is_done:
            self.state = "finished"
