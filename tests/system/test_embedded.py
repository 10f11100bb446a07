"""The embedded Redis with real processes: killed users, killed servers, and races to start it."""

import contextlib
import fcntl
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest
import redis
import redis.asyncio
from kombu import Connection

from config.broker import broker_url_for
from config.errors import ConfigError
from worker import embedded_keeper, embedded_program
from worker.embedded import EmbeddedError, EmbeddedRedis

pytestmark = pytest.mark.system

_PATIENCE_S = 20.0
_USER = """
import sys
from pathlib import Path
from worker.embedded import EmbeddedRedis
with EmbeddedRedis(Path(sys.argv[1])) as server:
    print(server.start(), flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def directory(tmp_path, redis_server_url):  # the session's server shows that there is a program to start
    """A data directory whose server is gone when the test is over."""
    directory = tmp_path / "data"
    yield directory
    wait_until_unused(directory)


@pytest.fixture
def user(directory):
    """Start another process that uses the server until its standard input ends."""
    with contextlib.ExitStack() as stack:

        def user(data=directory):
            command = [sys.executable, "-c", _USER, str(data)]
            process = stack.enter_context(
                subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True),
            )
            stack.callback(process.kill)
            return process

        yield user


def wait_for(condition):
    give_up_at = time.monotonic() + _PATIENCE_S
    while not (result := condition()):
        assert time.monotonic() < give_up_at, "it did not come about in time"
        time.sleep(0.02)
    return result


def wait_until_unused(directory):
    """Wait until keeper and server have let go of the directory's lock."""

    def unused():
        with (directory / "server.lock").open("a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            return True

    if (directory / "server.lock").exists():
        wait_for(unused)


def url_from(process):
    return process.stdout.readline().strip()


def client(url):
    return redis.Redis.from_url(url, retry=None)


def server_of(url):
    with client(url) as connected:
        return psutil.Process(connected.info("server")["process_id"])


def alive(process):
    with contextlib.suppress(psutil.NoSuchProcess):
        return process.status() != psutil.STATUS_ZOMBIE
    return False


def answers(url):
    with client(url) as connected, contextlib.suppress(redis.ConnectionError):
        return connected.ping()
    return False


def test_after_the_last_use_nothing_is_left_but_the_data(directory):
    server = EmbeddedRedis(directory)
    url = server.start()
    process = server_of(url)
    keeper = process.parent()
    server.stop()
    server.stop()
    wait_until_unused(directory)
    wait_for(lambda: not alive(process) and not alive(keeper))
    assert sorted(path.name for path in directory.iterdir()) == [
        "appendonlydir",
        "redis.log",
        "server.lock",
        "users.lock",
    ]


def test_data_survives_a_stop_and_belongs_to_the_user_alone(directory):
    for expected in (1, 2):
        with EmbeddedRedis(directory) as server, client(server.start()) as connected:
            assert connected.incr("starts") == expected
        wait_until_unused(directory)
    assert directory.stat().st_mode & 0o777 == 0o700
    assert all(path.stat().st_mode & 0o077 == 0 for path in directory.rglob("*"))


def test_the_server_forgets_nothing_and_listens_to_nobody_else(directory):
    with EmbeddedRedis(directory) as server, client(server.start()) as connected:
        wanted = {
            "appendonly": "yes",
            "appendfsync": "always",
            "aof-use-rdb-preamble": "yes",
            "maxmemory-policy": "noeviction",
            "save": "",
            "port": "0",
        }
        assert {key: connected.config_get(key)[key] for key in wanted} == wanted
        assert (directory / "redis.sock").stat().st_mode & 0o777 == 0o700


def test_the_url_serves_redis_asyncio_and_celery(directory):
    async def ping(url):
        async with redis.asyncio.Redis.from_url(url) as connected:
            return await connected.ping()

    import asyncio

    with EmbeddedRedis(directory / "with space;%25?") as server:
        url = server.start()
        assert asyncio.run(ping(url)) is True
        with Connection(broker_url_for(url.replace("?db=0", "?db=3"))) as broker:
            with broker.SimpleQueue("doorbell") as queue:
                queue.put({"lane": "main"})
            with client(url.replace("?db=0", "?db=3")) as connected:
                assert connected.llen("doorbell") == 1
    wait_until_unused(directory / "with space;%25?")


def test_a_user_that_leaves_does_not_take_the_server_from_another(directory, user):
    first = user()
    url = url_from(first)
    process = server_of(url)
    with EmbeddedRedis(directory) as second:
        assert second.start() == url
        first.communicate()
        time.sleep(3 * embedded_keeper._POLL_S)  # the keeper had its chance to be wrong
        assert server_of(url) == process
    wait_for(lambda: not alive(process))


def test_a_killed_user_does_not_take_the_server_from_another(directory, user):
    first, second = user(), user()
    url, process = url_from(first), server_of(url_from(second))
    first.kill()
    first.wait()
    time.sleep(3 * embedded_keeper._POLL_S)
    assert alive(process)
    assert answers(url)
    second.kill()
    second.wait()
    wait_for(lambda: not alive(process))


def test_a_user_killed_in_the_middle_of_starting_leaves_no_server(directory, user):
    for delay_s in (0.0, 0.05, 0.08, 0.11, 0.15):
        process = user()
        time.sleep(delay_s)
        process.kill()
        process.wait()
        wait_until_unused(directory)
        wait_for(lambda: not (directory / "redis.sock").exists())


def test_many_that_start_at_once_share_one_server(directory, user):
    processes = [user() for _ in range(6)]
    servers = {server_of(url_from(process)).pid for process in processes}
    assert len(servers) == 1
    assert len(psutil.Process(servers.pop()).parent().children()) == 1


def test_threads_that_start_at_once_share_one_server(directory):
    servers = [EmbeddedRedis(directory) for _ in range(8)]
    urls = []
    threads = [threading.Thread(target=lambda server=server: urls.append(server.start())) for server in servers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(urls) == len(servers)
    assert len({server_of(url).pid for url in urls}) == 1
    for server in servers:
        server.stop()


def test_one_that_starts_while_the_server_stops_gets_a_server(directory):
    for expected in range(1, 8):
        with EmbeddedRedis(directory) as server, client(server.start()) as connected:
            assert connected.incr("starts") == expected
        time.sleep(0.05 * expected)  # a different instant of the shutdown each time


def test_a_killed_server_comes_back_with_its_data_while_it_is_used(directory):
    with EmbeddedRedis(directory) as server:
        url = server.start()
        for expected in range(1, 6):
            process = server_of(url)
            with client(url) as connected:
                assert connected.incr("lives") == expected
            process.send_signal(signal.SIGKILL)
            wait_for(lambda process=process: not alive(process))
            wait_for(lambda: answers(url))


def test_the_server_dies_with_its_keeper_and_the_next_user_starts_another(directory, user):
    first = user()
    url = url_from(first)
    process = server_of(url)
    with client(url) as connected:
        connected.set("kept", "yes")
    process.parent().send_signal(signal.SIGKILL)
    wait_for(lambda: not alive(process))
    with EmbeddedRedis(directory) as server, client(server.start()) as connected:
        assert connected.get("kept") == b"yes"
        assert server_of(url) != process


def test_a_keeper_that_is_told_to_stop_stops_its_server(directory, user):
    process = server_of(url_from(user()))
    process.parent().terminate()
    wait_for(lambda: not alive(process))
    wait_until_unused(directory)


def test_a_directory_too_deep_for_a_socket_has_it_elsewhere_and_all_agree_on_it(directory, user, monkeypatch, tmp_path):
    deep = directory / ("d" * 120)
    first = user(deep)
    url = url_from(first)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))  # another user with another TMPDIR
    private = Path(url.removeprefix("unix://").removesuffix("?db=0")).parent
    assert private.stat().st_mode & 0o777 == 0o700
    with EmbeddedRedis(deep) as second:
        assert second.start() == url
        first.communicate()
        process = server_of(url)
        process.kill()
        wait_for(lambda: not alive(process))
        wait_for(lambda: answers(url))
    wait_until_unused(deep)
    assert not private.exists()


def test_another_users_socket_directory_is_refused(directory, monkeypatch, tmp_path):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    deep = directory / ("d" * 120)
    with EmbeddedRedis(deep) as server:
        private = Path(server.start().removeprefix("unix://").removesuffix("?db=0")).parent
    wait_until_unused(deep)
    private.mkdir(mode=0o755)
    with pytest.raises(ConfigError, match="is not a private directory"):
        EmbeddedRedis(deep).start()


def test_a_directory_that_can_not_be_made_is_one_sentence(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match=r"file/data can not be used for data: Not a directory$"):
        EmbeddedRedis(tmp_path / "file" / "data").start()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_directory_that_is_not_writable_is_one_sentence(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(ConfigError, match="can not be used for data: Permission denied"):
        EmbeddedRedis(tmp_path).start()


def test_without_a_server_program_it_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setattr(embedded_program, "_bundled_server", lambda: None)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigError, match=r"install redis-server or valkey-server, or set BULKSEND_REDIS_URL"):
        EmbeddedRedis(tmp_path / "data").start()


@pytest.mark.parametrize(
    ("version", "taken"),
    [("Redis server v=6.2.14 sha=00000000:0", True), ("Redis server v=6.0.16 sha=00000000:0", False), ("?", False)],
)
def test_a_server_on_the_path_is_taken_from_version_6_2(tmp_path, monkeypatch, version, taken):
    program = tmp_path / "redis-server"
    program.write_text(f"#!/bin/sh\necho '{version}'\n", encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setattr(embedded_program, "_bundled_server", lambda: None)
    monkeypatch.setenv("PATH", str(tmp_path))
    if taken:
        assert embedded_program.find_server() == program
    else:
        with pytest.raises(ConfigError):
            embedded_program.find_server()


def test_a_server_that_does_not_start_is_told_with_the_end_of_its_log(directory):
    with EmbeddedRedis(directory):
        pass
    wait_until_unused(directory)
    for path in (directory / "appendonlydir").glob("*.manifest"):
        path.write_text("not a manifest\n", encoding="utf-8")
    with pytest.raises(EmbeddedError, match=r"(?s)does not start; the end of .*redis\.log:.*manifest"):
        EmbeddedRedis(directory).start()
