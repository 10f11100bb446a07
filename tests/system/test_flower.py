"""Flower beside a real worker: what it shows of drains and batches, and that it shows no number and no body."""

import json
import re
import subprocess
import sys

import httpx
import pytest
from celery import Celery

from tests.system.stack import ROOT, free_port, people, wait_for
from worker.events import CeleryPostman, Note, Undelivered
from worker.ledger.connection import connect

pytestmark = pytest.mark.system

LOGIN = ("somebody", "made-up")


@pytest.fixture
def flower(stack):
    """Flower as docker-compose.yml starts it; a client that may look."""
    port, log = free_port(), stack.directory / "flower.log"
    options = [f"--port={port}", "--address=127.0.0.1", "--read_only=True", "--max_tasks=5000"]
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "celery", "-A", "worker.app", "flower", *options],
            cwd=ROOT, env=stack.environ | {"FLOWER_BASIC_AUTH": ":".join(LOGIN)}, stdout=output, stderr=output,
        )  # fmt: skip
    stack.processes.append(process)

    with httpx.Client(base_url=f"http://127.0.0.1:{port}", auth=LOGIN, timeout=10) as client:

        def listens():
            assert process.poll() is None, log.read_text()
            try:
                return client.get("/healthcheck").is_success
            except httpx.TransportError:
                return False

        wait_for(listens, "Flower listens", 30)
        # What is published before Flower has subscribed it never sees; nobody else subscribes yet.
        with connect(stack.redis_url) as server:
            wait_for(server.pubsub_numpat, "Flower listens to events")
        yield client


def tasks_of(flower, name):
    return list(flower.get("/api/tasks", params={"taskname": name}).raise_for_status().json().values())


def test_flower_shows_drains_and_batches_with_counts_and_no_person(stack, flower):
    stack.simulate("--reject", "99=23040")
    stack.account()
    stack.worker()
    campaign = stack.enqueue(people(250))
    stack.wait_for_state(campaign, "finished")

    def batches():
        found = tasks_of(flower, "bulksend.batch")
        # On a busy machine a batch may miss its slot first: that is an attempt of its own, and goes back.
        found = [task for task in found if task["state"] != "RETRY"]
        return found if [task["state"] for task in found] == ["SUCCESS"] * 3 else None

    found = wait_for(batches, "three batches have succeeded in Flower")
    assert sorted(task["result"] for task in found) == [
        "50 accepted",
        "99 accepted, 1 rejected",
        "99 accepted, 1 rejected",
    ]
    assert {task["worker"] for task in found} == {f"{path.stem}@test" for path in stack.directory.glob("worker-*.log")}
    assert all(task["runtime"] > 0 and task["received"] for task in found)
    search = {"search": "kwargs:batch=3 kwargs:campaign=c1", "state": "SUCCESS"}
    searched = flower.get("/api/tasks", params=search).json()
    (third,) = searched.values()
    assert third["kwargs"] == "{'campaign': 'c1', 'batch': 3, 'account': 'main', 'messages': 50}"

    def drained():
        return [task for task in tasks_of(flower, "bulksend.drain") if task["state"] == "SUCCESS"]

    drain = wait_for(drained, "a drain has succeeded in Flower")[0]
    assert (drain["args"], drain["kwargs"]) == ("['main']", "{}")

    everything = json.dumps(flower.get("/api/tasks").json())
    assert not re.search(r"9190000\d{5}", everything)
    assert "Hello" not in everything
    assert "sim-key" not in everything


def test_a_batch_that_is_given_back_or_unconfirmed_shows_why(stack, flower):
    stack.simulate("--fault", "429#1", "--fault", "500#3", "--retry-after", "1")
    stack.account(requests="20/second")
    stack.worker()
    campaign = stack.enqueue(people(200))
    stack.wait_for_state(campaign, "finished")

    def both():
        states = {task["state"]: task["exception"] for task in tasks_of(flower, "bulksend.batch")}
        return states if {"RETRY", "FAILURE", "SUCCESS"} <= set(states) else None

    states = wait_for(both, "a retried and a failed batch in Flower")
    assert "429" in states["RETRY"]
    assert states["FAILURE"].startswith("100 unconfirmed: ")


def test_flower_lets_nobody_in_without_the_password_and_nobody_change_anything(flower):
    assert httpx.get(flower.base_url.join("/api/tasks")).status_code == 401
    assert httpx.get(flower.base_url.join("/tasks")).status_code == 401
    assert flower.post("/api/worker/shutdown/worker-1@test").status_code == 403


def test_events_go_on_after_redis_was_away(stack):
    app = Celery(broker=stack.redis_url, set_as_current=False)
    postman = CeleryPostman(app, "node@test")
    note = Note("task-started", {"uuid": "a1"})
    postman.deliver([note])
    stack.server.kill()
    with pytest.raises(Undelivered):
        postman.deliver([note])
    with pytest.raises(Undelivered):
        CeleryPostman(app, "node@test")
    stack.server.start()
    again = CeleryPostman(app, "node@test")
    again.deliver([note])
    again.close()
    postman.close()
    app.close()
