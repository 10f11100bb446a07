"""Turns as a law: equals alternate, the higher goes first, and aging gives the lower ones a bounded share."""

from itertools import count

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from worker.ledger import keys
from worker.ledger.taking import Batches

PRIORITIES = ("high", "normal", "low")
BATCHES = 12
APART = 50
"""Of so many turns in a row at most one goes to a campaign although a higher one waits."""

which = st.integers(0, 9)
steps = st.one_of(
    st.tuples(st.just("come"), st.sampled_from(PRIORITIES)),
    st.tuples(st.just("take"), st.integers(1, 8)),
    st.tuples(st.just("take"), st.integers(1, 8)),
    st.tuples(st.just("give back"), which),
    st.tuples(st.just("pause"), which),
    st.tuples(st.just("resume"), which),
)


class Queue:
    """Campaigns of one lane as a witness knows them: who waits, and who of two equals went last while both waited."""

    def __init__(self, ledger, served):
        ledger.wipe()
        self.ledger = ledger
        ledger.lane(call_us=1, concurrency=100_000)
        ledger.redis.hset(keys.lane("main"), "served", served)
        self.priority, self.waiting, self.taken = {}, {}, []
        self.last = {}
        self.turn, self.passed_over_at = count(), -APART

    def step(self, what, value):
        names = sorted(self.priority)
        match what:
            case "come":
                name = f"c{len(names):02}"
                self.ledger.campaign(*[1] * BATCHES, name=name, priority=value)
                self.priority[name], self.waiting[name] = value, BATCHES
            case "take":
                self.take(value)
            case "give back" if self.taken:
                taken = self.taken.pop(value % len(self.taken))
                self.ledger.back(taken)
                self.add(taken.campaign, 1)
            case "pause" | "resume" if names:
                name = names[value % len(names)]
                getattr(self.ledger, what)(name)
                self.forget(name)

    def add(self, name, batches):
        self.waiting[name] += batches
        if self.waiting[name] in (0, batches):
            self.forget(name)

    def forget(self, name):
        """It begins to wait, or waits no more: what went before says nothing of its next turn."""
        self.last = {pair: one for pair, one in self.last.items() if name not in pair}

    def waits(self, name):
        return self.waiting[name] and self.ledger.state(name) == "running"

    def take(self, many):
        waiting = {name for name in self.priority if self.waits(name)}
        turn = self.ledger.take(many, lookahead_us=1000)
        given = turn.taken if isinstance(turn, Batches) else ()
        assert len(given) == min(many, sum(self.waiting[name] for name in waiting))
        for taken in given:
            self.witness(taken.campaign, waiting)
            self.taken.append(taken)
            self.add(taken.campaign, -1)
            if not self.waiting[taken.campaign]:
                waiting.discard(taken.campaign)
        self.ledger.pass_s(0.01)

    def witness(self, name, waiting):
        turn, rank = next(self.turn), PRIORITIES.index(self.priority[name])
        for other in waiting - {name}:
            if self.priority[other] == self.priority[name]:
                pair = frozenset({name, other})
                assert self.last.get(pair) != name, f"{name} went twice while {other} waited"
                self.last[pair] = name
        if any(PRIORITIES.index(self.priority[other]) < rank for other in waiting):
            assert turn - self.passed_over_at >= APART, f"{name} went, and a higher one waited"
            self.passed_over_at = turn


@settings(
    max_examples=150,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(served=st.integers(0, 1100), steps=st.lists(steps, min_size=5, max_size=40))
def test_equals_alternate_and_the_higher_goes_first(quick, served, steps):
    queue = Queue(quick, served)
    for what, value in steps:
        queue.step(what, value)
    for name in queue.priority:
        quick.lawful(name)


def turns(ledger, many):
    """Whose batches the next so many are, a hundred a take."""
    names = []
    while len(names) < many:
        ledger.lane(call_us=1, concurrency=100_000)
        names += [taken.campaign for taken in ledger.take(100, lookahead_us=1000).taken]
        ledger.pass_s(0.01)
    return names[:many]


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(served=st.integers(0, 999))
def test_of_a_thousand_turns_beside_high_ones_ten_are_a_normal_ones_and_one_a_low_ones(quick, served):
    quick.wipe()
    quick.lane(call_us=1, concurrency=100_000)
    quick.redis.hset(keys.lane("main"), "served", served)
    quick.campaign(*[1] * 1100, name="h", priority="high")
    quick.campaign(*[1] * 20, name="n")
    quick.campaign(*[1] * 20, name="l", priority="low")
    went = turns(quick, 1000)
    assert (went.count("n"), went.count("l")) == (10, 1)
    assert "n" in went[:100]


def test_a_high_one_behind_a_million_recipients_goes_within_two_slots(quick):
    """The million's queue is as long as it would be; of its batches only those that go are there."""
    quick.lane(call_us=1, concurrency=100_000)
    quick.campaign(*[100] * 40, name="bulk")
    quick.redis.rpush(keys.queue("bulk"), *range(41, 10_001))
    quick.redis.hset(keys.campaign("bulk"), mapping=dict.fromkeys(("rows", "queued", "pending"), 1_000_000))
    turns(quick, 30)
    quick.campaign(100, name="urgent", priority="high")
    turn = quick.take(2, lookahead_us=1000)
    assert "urgent" in [taken.campaign for taken in turn.taken]
