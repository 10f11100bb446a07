"""A Redis with a replica: nothing is sent before the replica has the intent on disk, and nothing is delayed by it."""

import subprocess

import pytest

from tests.system.stack import ROOT, free_port, people, wait_for
from worker.embedded_program import find_server
from worker.ledger.connection import connect

pytestmark = pytest.mark.system


class Replica:
    """A replica of the stack's server, with the configuration that we ship; may be killed and started again."""

    def __init__(self, stack):
        self.stack = stack
        self.port = free_port()
        self.directory = stack.directory / "replica"
        self.directory.mkdir()

    def start(self):
        place = ["--port", str(self.port), "--bind", "127.0.0.1", "--dir", self.directory, "--logfile", "redis.log"]
        primary = ["--replicaof", f"127.0.0.1 {self.stack.server.port}"]
        self.process = subprocess.Popen([find_server(), ROOT / "config" / "redis.conf", *place, *primary])
        self.stack.processes.append(self.process)
        with connect(self.stack.server.url) as primary:
            wait_for(lambda: primary.info("replication").get("slave0", {}).get("state") == "online", "a replica")

    def kill(self):
        self.process.kill()
        self.process.wait()


@pytest.fixture
def replica(stack):
    made = Replica(stack)
    made.start()
    return made


def test_a_replica_confirms_each_intent_in_time_for_its_slot(stack, replica):
    stack.simulate()
    stack.account(requests="20/second")
    stack.worker(BULKSEND_REPLICAS="1")
    campaign = stack.enqueue(people(1000))
    done = stack.wait_for_state(campaign, "finished", within_s=20)
    assert (done.accepted, done.calls) == (1000, 10)


def test_without_its_replica_nothing_is_sent_until_it_is_back(stack, replica):
    simulator = stack.simulate()
    stack.account(requests="20/second")
    stack.worker(BULKSEND_REPLICAS="1")
    replica.kill()
    campaign = stack.enqueue(people(200))
    wait_for(lambda: "Redis did not confirm in time" in stack.logs(), "a take that nobody confirmed", 20)
    assert simulator.stats()["requests"] == 0
    replica.start()
    done = stack.wait_for_state(campaign, "finished", within_s=40)
    assert (done.accepted, done.unconfirmed) == (200, 0)
