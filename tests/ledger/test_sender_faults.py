"""A fault of ours while a batch is sent: the ledger is told by whether a byte had left, and the watcher hears of it."""

import asyncio
from types import SimpleNamespace

import pytest
from aiolimiter import AsyncLimiter

from worker.clock import ServerClock, suspended_clock
from worker.domain.answers import Answer, Call, PerMessage
from worker.domain.template import compile_template
from worker.engine import Compiled
from worker.events import Unwatched
from worker.intake.campaign import Campaign
from worker.sender import Sender

CALL = Call(method="POST", url="http://127.0.0.1:9/", headers={}, content=b"x")
ANSWER = Answer(status=200, headers={}, body=b"", received_at=1.8e9)


class Fault(Exception):
    pass


class Line:
    """Hands a byte to the system, or fails before."""

    def __init__(self, fails=False):
        self.written_bytes, self.fails = 7, fails

    async def post(self, *_, **__):
        if self.fails:
            raise Fault
        self.written_bytes += 1
        return ANSWER


class Gateway:
    """Fails in the step of this name."""

    name = "exotel-sms"

    def __init__(self, fails=""):
        self.fails = fails

    def write(self, *_):
        if self.fails == "write":
            raise Fault
        return CALL

    def read(self, _, outgoing):
        if self.fails == "read":
            raise Fault
        return PerMessage(outcomes=(Fault(),) * len(outgoing.messages))  # nothing that could be packed


def sent(ledger, gateway, line):
    """Send the next batch; return what became of the campaign."""
    campaign = Campaign(name="c", accounts=("main",), body="Hi")
    compiled = Compiled(campaign=campaign, template=compile_template("Hi"), message_options={})

    async def look_up(_):
        return compiled

    async def tell(step):
        return await step()

    async def send(taken):
        clock = ServerClock()
        clock.observe(asyncio.get_running_loop().time(), asyncio.get_running_loop().time(), taken.slot_us)
        engine = SimpleNamespace(
            compiled=look_up, persist=tell, redis=ledger.aredis, gathered=ledger.aredis, events=Unwatched(),
            clock=clock, owner="w", remember_hours=0, missed=0,
        )  # fmt: skip
        account = SimpleNamespace(status_callbacks=False, timeout=5)
        served = SimpleNamespace(gateway=gateway, account=account, fuse=AsyncLimiter(10), late_s=5.0)
        await Sender(engine=engine, name="main", served=served).send(taken, line, suspended_clock())

    with pytest.raises((Fault, KeyError)):
        ledger.run(send(ledger.take_one()))
    ledger.lawful()
    return ledger.counts(), ledger.state()


@pytest.fixture
def one(ledger):
    """A batch of three that may go now."""
    ledger.campaign(3)
    ledger.lane()
    return ledger


@pytest.mark.parametrize(("gateway", "line"), [(Gateway("write"), Line()), (Gateway(), Line(fails=True))])
def test_before_the_first_byte_the_batch_goes_back_and_its_campaign_pauses(one, gateway, line):
    counts, state = sent(one, gateway, line)
    assert (counts["pending"], counts.get("calls", 0), state) == (3, 0, "paused")
    assert "see its log" in one.fields("bs:c:c")["reason"]


@pytest.mark.parametrize("gateway", [Gateway("read"), Gateway()])
def test_after_the_first_byte_its_messages_are_unconfirmed_at_once_and_count_for_the_breaker(one, gateway):
    counts, _ = sent(one, gateway, Line())
    assert (counts["unconfirmed"], counts["calls"]) == (3, 1)
    assert one.lane_field("streak") == "1"
    assert "see its log" in one.rows()[0].reason
