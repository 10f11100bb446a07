"""config/redis.conf as a server takes it, and as a worker judges that server."""

import asyncio
import subprocess

import pytest
import redis

from tests.system.stack import ROOT, free_port, wait_for
from worker.embedded_program import find_server
from worker.ledger.connection import connect, connect_async
from worker.ledger.durability import Durability, check_durability

pytestmark = pytest.mark.system

PASSWORD = "made-up"


@pytest.fixture
def url(tmp_path):
    """A server that was started as docker-compose.yml starts it."""
    port = free_port()
    command = [find_server(), ROOT / "config" / "redis.conf", "--requirepass", PASSWORD]
    place = ["--port", str(port), "--bind", "127.0.0.1", "--dir", tmp_path, "--logfile", "redis.log"]
    process = subprocess.Popen([*command, *place])
    url = f"redis://:{PASSWORD}@127.0.0.1:{port}/0"

    def answers():
        assert process.poll() is None, (tmp_path / "redis.log").read_text()
        try:
            with connect(url) as client:
                return client.ping()
        except redis.exceptions.ConnectionError:
            return False

    try:
        wait_for(answers, "Redis answers")
        yield url
    finally:
        process.kill()
        process.wait()


async def judged(url):
    async with connect_async(url) as client:
        return await check_durability(client)


def test_a_worker_may_send_on_a_server_with_our_configuration(url):
    assert asyncio.run(judged(url)) == Durability(waitaof=True, problem="")
    with connect(url) as client:
        found = client.config_get("appendfsync", "save", "protected-mode")
    assert found == {"appendfsync": "always", "save": "", "protected-mode": "yes"}


def test_it_answers_nobody_without_the_password(url):
    with connect(url.replace(f":{PASSWORD}@", "")) as client, pytest.raises(redis.exceptions.AuthenticationError):
        client.ping()


def test_the_password_is_not_in_the_process_list(url):
    for line in subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout.splitlines():
        assert PASSWORD not in line or "redis.conf" not in line
