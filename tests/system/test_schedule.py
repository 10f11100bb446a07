"""A scheduled job runs by itself: real beats, real workers, and the simulator at the other end."""

import json
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from celery import Celery
from redbeat import RedBeatSchedulerEntry

from tests.system.stack import ROOT, people, wait_for
from worker.beat_entries import _beat_of
from worker.ledger import keys
from worker.ledger.connection import connect

pytestmark = pytest.mark.system


class Scheduled:
    """The schedule "offer" of a stack, due daily at a time that has passed today or will."""

    def __init__(self, stack):
        self.stack = stack
        rows = "".join(json.dumps(row) + "\n" for row in people(250))
        (stack.directory / "people.jsonl").write_text(rows)
        (stack.directory / "offer.toml").write_text(
            'name = "offer"\naccounts = ["main"]\nrecipients = "people.jsonl"\nbody = "Hello {name}"\n'
            '[schedule]\ncron = "0 11 * * *"\n'
        )

    def __call__(self, *arguments):
        command = [sys.executable, "-m", "scripts.cli", "schedule", *arguments, "--json"]
        done = subprocess.run(
            command, cwd=ROOT, env=self.stack.environ, capture_output=True, text=True, check=True, timeout=60
        )
        return json.loads(done.stdout)

    def add(self):
        self(*("add", str(self.stack.directory / "offer.toml")))

    def fall_due(self):
        """Let it have been added yesterday, and beat's entry not have rung since."""
        yesterday = datetime.now(UTC) - timedelta(days=1)
        with connect(self.stack.redis_url) as client:
            client.hset(keys.schedule("offer"), "done", round(yesterday.timestamp() * 1e6))
        with _beat_of(self.stack.redis_url) as app:
            RedBeatSchedulerEntry.from_key("bs:beat:offer", app=app).reschedule(yesterday)

    @property
    def last(self):
        return self("list")[0]["last"]

    def beat(self):
        command = [sys.executable, "-m", "celery", "-A", "worker.app", "beat"]
        path = self.stack.directory / f"beat-{len(self.stack.processes)}.log"
        with path.open("w") as log:
            process = subprocess.Popen(command, cwd=ROOT, env=self.stack.environ, stdout=log, stderr=log)
        self.stack.processes.append(process)
        return process, path

    def ring(self, times):
        bell = Celery(broker=self.stack.redis_url, set_as_current=False)
        bell.conf.task_default_queue = "bulksend"
        for _ in range(times):
            bell.send_task("bulksend.schedule", args=["offer"], ignore_result=True)
        bell.close()


@pytest.fixture
def schedule(stack):
    stack.simulate()
    stack.account()
    return Scheduled(stack)


def ended_once(stack, schedule):
    """Wait for the run's end; everybody was messaged once, by one campaign."""
    last = wait_for(lambda: schedule.last, "the run is begun", 40)
    standing = stack.wait_for_state(last["id"], "finished", 40)
    assert (standing.rows, standing.accepted) == (250, 250)
    assert sorted(Counter(message["to"] for message in stack.simulator.messages()).values()) == [1] * 250
    with connect(stack.redis_url) as client:
        assert client.zcard(keys.CAMPAIGNS) == 1


def test_two_beats_and_two_workers_run_a_scheduled_job_by_themselves_and_once(stack, schedule):
    schedule.add()
    schedule.fall_due()
    beats = [schedule.beat() for _ in range(2)]
    stack.workers(2)
    schedule.ring(5)  # bells that come twice, or from a beat that was away
    ended_once(stack, schedule)
    logs = [path.read_text() for _, path in beats]
    assert sum("bulksend.schedule" in log for log in logs) == 1, logs
    assert all(process.poll() is None for process, _ in beats)


def test_a_missing_file_is_seen_in_the_list_and_no_traceback_in_the_log(stack, schedule):
    (stack.directory / "people.jsonl").unlink()
    schedule.add()
    schedule.fall_due()
    schedule.beat()
    stack.worker()
    wait_for(lambda: schedule.last, "the run has failed", 40)
    assert schedule.last["outcome"] == "failed"
    assert "people.jsonl: No such file or directory" in schedule.last["reason"]
    assert "Traceback" not in stack.logs()


def test_without_a_beat_workers_ring_for_what_nobody_answered(stack, schedule):
    schedule.add()
    schedule.fall_due()
    with connect(stack.redis_url) as client:
        client.zadd(keys.SCHEDULES, {"offer": 0})
    stack.worker()
    ended_once(stack, schedule)


def test_a_beat_without_a_redis_says_so_in_one_sentence(stack, schedule):
    stack.redis_url = ""
    process, path = schedule.beat()
    assert process.wait(timeout=40) == 2
    assert "set BULKSEND_REDIS_URL" in path.read_text()
    assert "Traceback" not in path.read_text()
