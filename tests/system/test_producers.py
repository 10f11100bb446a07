"""Producers that die, meet, are continued with other input, or are cancelled: every row once, or not at all."""

import random
import subprocess
import sys

import pytest

from tests.system.producing import rows
from tests.system.stack import ROOT, wait_for
from worker.domain.ids import CampaignId
from worker.ledger import keys
from worker.ledger.connection import connect
from worker.ledger.operating import cancel
from worker.ledger.packing import unpack

pytestmark = pytest.mark.system

ROWS = 10_000
ID = CampaignId("p1")


class Producing:
    """Starts producers of one campaign; `file` may be changed between two."""

    def __init__(self, stack) -> None:
        self.stack = stack
        self.file = stack.directory / "p1.toml"
        self.write()

    def write(self, body: str = "Hello {name}") -> None:
        self.file.write_text(f'name = "p"\naccounts = ["main"]\nfrom = "EXOTEL"\nbody = "{body}"\n')

    def start(self, *point: object, count: int = ROWS) -> subprocess.Popen[str]:
        words = [str(word) for word in (self.file, ID, count, *point)]
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.system.producing", *words],
            cwd=ROOT, env=self.stack.environ, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        self.stack.processes.append(process)
        return process

    def run(self, *point: object, count: int = ROWS) -> tuple[int, str]:
        """Run one to its end; return its exit status and the last line of what it said."""
        process = self.start(*point, count=count)
        _, error = process.communicate(timeout=30)
        return process.returncode, (error.strip().splitlines() or [""])[-1]

    def waiting(self, row: int) -> subprocess.Popen[str]:
        """Start one and return it when it waits at a row."""
        process = self.start("wait", row)
        assert process.stdout.readline() == "waiting\n"
        return process

    def ledger(self) -> dict[str, bytes]:
        """Return the whole ledger of the campaign but the token, by which producers tell each other apart."""
        with connect(self.stack.redis_url) as client:
            fields = client.hgetall(keys.campaign(ID))
            found = {name: client.dump(name) for name in sorted(client.scan_iter(f"{keys.campaign(ID)}:*"))}
        return found | fields


@pytest.fixture
def producing(stack):
    stack.simulate()
    stack.account(requests="100/second")
    return Producing(stack)


def recorded(stack) -> list[int]:
    """Return the rows of the ledger, in its order."""
    with connect(stack.redis_url) as client:
        stretches = int(client.hget(keys.campaign(ID), "stretches"))
        contents = [unpack(client.get(keys.packed(ID, batch))) for batch in range(1, stretches + 1)]
    return [
        row
        for content in contents
        for row in sorted([*content.rows, *(passed.row for passed in content.passed)])
    ]  # fmt: skip


def is_whole_and_sent_once(stack) -> None:
    """Fail unless every row is in the ledger once, in order, and every good number got one message."""
    stack.worker()
    done = stack.wait_for_state(ID, "finished")
    assert recorded(stack) == list(range(1, ROWS + 1))
    good = {row["to"] for row in rows(ROWS) if row["to"] != "12"}
    assert (done.rows, done.invalid, done.duplicate, done.queued) == (ROWS, ROWS // 50, ROWS // 50, len(good))
    assert (done.accepted, done.unconfirmed) == (len(good), 0)
    messages = stack.simulator.messages()
    assert len(messages) == len(good)
    assert {message["to"] for message in messages} == good


def test_a_producer_killed_again_and_again_is_continued_to_every_row_once(stack, producing):
    draw = random.Random(11)
    for point in ("before append", "after append", "after append"):
        assert producing.run(point, 1)[0] == -9
    for _ in range(5):
        assert producing.run("row", draw.randint(1, ROWS))[0] == -9
    for point in ("before start", "after start"):
        assert producing.run(point, 1)[0] == -9
    assert producing.run() == (0, "")
    is_whole_and_sent_once(stack)


def test_a_producer_that_another_took_over_stops_and_every_row_is_there_once(stack, producing):
    first = producing.waiting(5_000)
    assert producing.run() == (0, "")
    _, error = first.communicate("go on\n", timeout=30)
    assert first.returncode == 1
    assert "ProductionLost: p1 was taken over by another producer" in error
    is_whole_and_sent_once(stack)


def test_a_production_is_not_continued_with_other_rows(stack, producing):
    assert producing.run("row", 5_000)[0] == -9
    before = producing.ledger()
    code, said = producing.run(count=1_000)
    assert code == 1
    assert said.startswith("config.errors.ConfigError: the first ")
    assert producing.ledger() == before


def test_a_production_is_not_continued_with_another_campaign_file(stack, producing):
    assert producing.run("row", 5_000)[0] == -9
    before = producing.ledger()
    producing.write("Goodbye {name}")
    code, said = producing.run()
    assert code == 1
    assert said.startswith("config.errors.ConfigError: the production of p1 was begun with another")
    assert producing.ledger() == before


def test_a_cancelled_production_stops_and_sends_to_nobody(stack, producing):
    first = producing.waiting(5_000)
    wait_for(lambda: stack.standing(ID).rows > 0, "rows are in the ledger")
    with connect(stack.redis_url) as client:
        assert cancel(client, ID, "cancelled by the test") == "cancelled"
    _, error = first.communicate("go on\n", timeout=30)
    assert first.returncode == 1
    assert "ProductionLost: p1 was taken over by another producer, or cancelled" in error
    standing = stack.standing(ID)
    assert (standing.state, standing.cancelled, standing.pending) == ("cancelled", standing.queued, 0)
    stack.worker()
    assert stack.simulator.stats()["requests"] == 0
