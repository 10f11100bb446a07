"""Consent as a law: no take gives a number that is on a list then, whatever was taken, given back, split or sent again.

And nobody else loses by it: whoever was on no list is sent to, and the counts add up. A frequency cap keeps no campaign
from its own recipients, however often they wait again.
"""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from worker.domain.suppression import Checks, Reason, Scope, SuppressionList
from worker.ledger.suppression import suppress, unsuppress
from worker.ledger.taking import Batches

ACCOUNTS = ("main", "spare")
LISTS = (
    *(SuppressionList(scope=scope) for scope in Scope),
    *(SuppressionList(kind="account", name=name) for name in ACCOUNTS),
    SuppressionList(kind="sender", name="brand"),
    SuppressionList(kind="sender", name="OTHER"),
)
FIRST = 919_000_000_000

rows = st.integers(1, 16)
lists = st.sampled_from(LISTS)
steps = st.one_of(
    st.tuples(st.just("opt out"), lists, rows),
    st.tuples(st.just("opt out"), lists, rows),
    st.tuples(st.just("opt in"), lists, rows),
    st.tuples(st.just("take"), st.sampled_from(ACCOUNTS), st.integers(1, 3)),
    st.tuples(st.just("take"), st.sampled_from(ACCOUNTS), st.integers(1, 3)),
    st.tuples(st.sampled_from(["settle", "give back", "refuse", "vanish"]), st.integers(0, 9), st.sampled_from("aur")),
    st.tuples(st.just("sweep"), st.just(0), st.just(0)),
)


class Consent:
    """A campaign through two accounts at a gateway that takes `limit` messages a call, and who is on which list now."""

    def __init__(self, ledger, sizes, limit, is_promotional, cap_hours):
        ledger.wipe()
        ledger.remember_hours = 48
        self.ledger, self.limit, self.is_promotional = ledger, limit, is_promotional
        self.listed, self.ever, self.held = set(), set(), []
        checks = Checks(account="", sender="BRAND", is_promotional=is_promotional, not_before_hours=cap_hours)
        ledger.campaign(*sizes, accounts=ACCOUNTS, checks=checks, on_unconfirmed="resend")

    def step(self, what, first, second):
        match what:
            case "opt out":
                suppress(self.ledger.redis, first, [FIRST + second], Reason.OPTED_OUT)
                self.listed.add((first, second))
                self.ever.add(second)
            case "opt in":
                unsuppress(self.ledger.redis, first, [FIRST + second])
                self.listed.discard((first, second))
            case "take":
                self.held += [(first, taken) for taken in self.take(first, second)]
            case "sweep":
                self.sweep()
            case _ if self.held:
                self.tell(what, *self.held.pop(first % len(self.held)), second)

    def take(self, account, many):
        self.ledger.lane(account, call_us=1000)
        turn = self.ledger.take(many, account=account, limit=self.limit, lookahead_us=1_000_000)
        given = turn.taken if isinstance(turn, Batches) else ()
        self.ledger.pass_s(0.1)
        for taken in given:
            unwelcome = {number for number in taken.content().numbers if self.is_listed(number - FIRST, account)}
            assert not unwelcome, f"{unwelcome} had opted out"
        return given

    def is_listed(self, row, account):
        return any(
            row == each
            and (of.kind != "account" or of.name == account)
            and (of.kind != "sender" or of.name == "brand")
            and (of.scope is Scope.ALL or self.is_promotional)
            for of, each in self.listed
        )

    def tell(self, what, account, taken, letter):
        size = len(taken.content().numbers)
        match what:
            case "settle":
                self.ledger.settle(taken, letter * size, account=account)
            case "give back":
                self.ledger.back(taken, account=account)
            case "refuse":
                self.ledger.refuse(taken, account)
            case "vanish":
                self.ledger.pass_sweeping(42)  # the others have expired as well, but wake up

    def sweep(self):
        self.ledger.pass_s(1)
        for name, n in self.ledger.sweep().resends:
            self.ledger.resend(n, name)

    def end(self):
        """What is held is accepted, what waits goes; and what was lost goes once more."""
        for account, taken in self.held:
            self.tell("settle", account, taken, "a")
        for _ in range(200):
            self.sweep()
            given = [(account, taken) for account in ACCOUNTS for taken in self.take(account, 20)]
            for account, taken in given:
                self.tell("settle", account, taken, "a")
            if self.ledger.state() == "finished":
                return
        pytest.fail("the campaign does not end")


@settings(
    max_examples=120,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    sizes=st.lists(st.integers(1, 6), min_size=1, max_size=4),
    limit=st.sampled_from([1, 100]),
    is_promotional=st.booleans(),
    cap_hours=st.sampled_from([0, 24]),
    steps=st.lists(steps, min_size=5, max_size=30),
)
def test_nobody_who_opted_out_is_given_to_a_caller_and_nobody_else_is_passed_over(
    quick, sizes, limit, is_promotional, cap_hours, steps
):
    consent = Consent(quick, sizes, limit, is_promotional, cap_hours)
    for step in steps:
        consent.step(*step)
        quick.lawful()
    consent.end()
    quick.lawful()
    assert quick.differences() == ()
    fates = {line.row: line.outcome for line in quick.rows()}
    assert set(fates.values()) <= {"accepted", "rejected", "unconfirmed", "suppressed"}
    assert {row for row, outcome in fates.items() if outcome == "suppressed"} <= consent.ever
