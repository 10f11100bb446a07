"""A report or a decision that is overtaken between its look at a batch and its script.

Whatever happens in between, the end is as if the report or the decision had come after it.
"""

import math

import pytest

from .conftest import T0, S


class Slow:
    """A client of a process that is held up, while something happens: before its first script, or while it reads a
    batch, after so many of the replies.
    """

    def __init__(self, client, meanwhile, after=0):
        self.client = client
        self.meanwhile = [meanwhile]
        self.after = after
        self.has_written = False

    def wait(self):
        while self.meanwhile:
            self.meanwhile.pop()()

    def evalsha(self, *args):
        self.wait()
        self.has_written = True
        return self.client.evalsha(*args)

    def pipeline(self, **options):
        pipeline = self.client.pipeline(**options)
        return Torn(self, pipeline) if self.after and self.meanwhile else pipeline

    def __getattr__(self, name):
        return getattr(self.client, name)


class Torn:
    """A pipeline that Redis takes in two pieces."""

    def __init__(self, slow, pipeline):
        self.slow = slow
        self.pipeline = pipeline

    def execute(self):
        commands, self.pipeline.command_stack = self.pipeline.command_stack, []
        replies = []
        for piece in (commands[: self.slow.after], commands[self.slow.after :]):
            self.pipeline.command_stack = list(piece)
            replies += self.pipeline.execute()
            self.slow.wait()
        return replies

    def __getattr__(self, name):
        return getattr(self.pipeline, name)


def on_the_wire(ledger):
    pass


def given_back(ledger):
    ledger.back(ledger.taken)


def lost(ledger):
    ledger.settle(ledger.taken, "uuu", "lost")


def pass_time(ledger, seconds):
    for _ in range(math.ceil(seconds / 2.5)):
        ledger.pass_s(2.5)
        ledger.sweep()


def expired(ledger):
    """For so long that it may go again."""
    pass_time(ledger, 85)


def half_known(ledger):
    ledger.settle(ledger.taken, "aur")


def divided(ledger):
    ledger.refuse(ledger.taken)


SITUATIONS = [on_the_wire, given_back, lost, expired, half_known, divided]

MEANWHILE = {
    "an answer": lambda ledger: ledger.settle(ledger.taken, "aua"),
    "no answer": lambda ledger: ledger.settle(ledger.taken, "uuu", "lost"),
    "a refusal": lambda ledger: ledger.refuse(ledger.taken),
    "proof": lambda ledger: ledger.back(ledger.taken),
    "the expiry": lambda ledger: pass_time(ledger, 42),
    "another take": lambda ledger: ledger.take(lookahead_us=S),
    "a take of one": lambda ledger: ledger.take(lookahead_us=S, limit=1),
    "a resend": lambda ledger: ledger.resolve("resend"),
    "the resend due": lambda ledger: (pass_time(ledger, 90), ledger.resend()),
    "accepted by hand": lambda ledger: ledger.resolve("accepted"),
    "rejected by hand": lambda ledger: ledger.resolve("rejected"),
    "a greater report": lambda ledger: ledger.report("seen", row=2, gateway_id="x"),
    "a lesser report": lambda ledger: ledger.report("sent", row=2, gateway_id="y"),
    "reports about the others": lambda ledger: [ledger.report("failed", row=row) for row in (1, 3)],
    "a cancellation": lambda ledger: ledger.cancel(),
    "the end": lambda ledger: pass_time(ledger, 120),
    "nothing": lambda _: None,
}

LATE = {
    "report": lambda ledger, client: ledger.report("delivered", row=2, gateway_id="m", client=client),
    "accept": lambda ledger, client: ledger.resolve("accepted", client=client),
    "reject": lambda ledger, client: ledger.resolve("rejected", client=client),
    "resend": lambda ledger, client: ledger.resolve("resend", client=client),
}


def begin(ledger, situation):
    ledger.wipe()
    ledger.campaign(3, 1, on_unconfirmed="resend", ends_at=T0 + 130 * S)
    ledger.lane(call_us=1000)
    ledger.taken = ledger.next_one()
    ledger.sweep()
    situation(ledger)


def end(ledger):
    ledger.lawful()
    assert ledger.differences() == ()
    rows = [(row.outcome, row.delivery, row.gateway_id, row.batch, row.attempts) for row in ledger.rows()]
    return rows, ledger.counts(), ledger.state(), ledger.queue()


@pytest.mark.parametrize(
    ("late", "after"),
    [("report", 0), ("report", 2), ("report", 4), ("accept", 0), ("accept", 3), ("reject", 0), ("resend", 0)],
)
@pytest.mark.parametrize("meanwhile", MEANWHILE)
@pytest.mark.parametrize("situation", SITUATIONS)
def test_what_is_overtaken_ends_as_if_it_had_come_after(ledger, situation, meanwhile, late, after):
    begin(ledger, situation)
    MEANWHILE[meanwhile](ledger)
    LATE[late](ledger, ledger.redis)
    expected = end(ledger)
    begin(ledger, situation)
    slow = Slow(ledger.redis, lambda: MEANWHILE[meanwhile](ledger), after)
    LATE[late](ledger, slow)
    if late != "report" and not slow.has_written:
        return  # it came before, when there was nothing to decide
    assert end(ledger) == expected
