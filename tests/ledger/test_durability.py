"""A worker does not send where Redis would forget what was sent."""

import asyncio

import pytest
import redis

from worker.embedded import EmbeddedRedis
from worker.ledger import keys
from worker.ledger.connection import connect_async
from worker.ledger.durability import check_durability
from worker.ledger.errors import LedgerError, LedgerUnavailable
from worker.ledger.seats import Ceiling, announce, take_seat
from worker.ledger.taking import Batches, Intent, take

INTENT = Intent(lookahead_us=10_000_000, lead_us=0, expiry_us=40_000_000, confirm=True, replicas=0)


@pytest.fixture
def url(tmp_path):
    """A server of the test's own, because its settings are changed."""
    with EmbeddedRedis(tmp_path) as server:
        yield server.start()


def with_client(url, work):
    """Run `work(client)` in a loop of its own."""

    async def run():
        client = connect_async(url)
        try:
            return await work(client)
        finally:
            await client.aclose()

    return asyncio.run(run())


def configure(url, **settings):
    with redis.Redis.from_url(url) as client:
        for name, value in settings.items():
            client.config_set(name.replace("_", "-"), value)


def test_the_embedded_server_keeps_what_it_is_told(url):
    found = with_client(url, check_durability)
    assert (found.waitaof, found.problem) == (True, "")


@pytest.mark.parametrize(
    ("settings", "word"),
    [
        ({"appendonly": "no"}, "appendonly yes"),
        ({"maxmemory_policy": "allkeys-lru"}, "noeviction"),
        ({"maxmemory_policy": "volatile-ttl"}, "noeviction"),
    ],
)
def test_a_server_that_forgets_is_named_with_what_to_set(url, settings, word):
    configure(url, **settings)
    found = with_client(url, check_durability)
    assert word in found.problem


def rename(url, user, *rules):
    """Return the URL for a user of whom some commands are taken away."""
    with redis.Redis.from_url(url) as client:
        client.acl_setuser(user, enabled=True, passwords=["+pw"], keys=["*"], commands=["+@all", *rules])
    return url.replace("unix://", f"unix://{user}:pw@")


@pytest.mark.parametrize(("fsync", "problem"), [("always", ""), ("everysec", "appendfsync always")])
def test_without_waitaof_every_write_must_be_on_disk_at_once(url, fsync, problem):
    configure(url, appendfsync=fsync)
    found = with_client(rename(url, "old", "-waitaof"), check_durability)
    assert not found.waitaof
    assert problem in found.problem


def test_what_may_not_be_read_counts_as_off(url):
    found = with_client(rename(url, "blind", "-waitaof", "-config"), check_durability)
    assert "appendfsync unknown" in found.problem


@pytest.fixture
def taking(url):
    """Take one batch of a campaign of two, with the server as it is then."""
    from worker.ledger import production

    with redis.Redis.from_url(url) as client:
        production.begin(client, "c", token="t", file_digest="f", doc="{}", name="c", accounts=["main"])
        stretches = [production.Stretch(messages=1, packed=b"\0\1") for _ in range(2)]
        production.append(
            client, "c", token="t", position=0, new_position=2, digest="d", invalid=0, duplicate=0, suppressed=0,
            stretches=stretches,
        )  # fmt: skip
        production.start(client, "c", token="t", position=2)

    def run(intent=INTENT):
        async def work(client):
            await announce(client, "w", {"main": Ceiling(call_us=1000, message_us=0, concurrency=9)})
            await take_seat(client, "main", "w")
            return await take(client, "main", "w", ["x"], intent)

        return with_client(url, work)

    return run


def test_a_take_is_confirmed_by_the_disk(taking):
    while not isinstance(turn := taking(), Batches):
        """The first answer of a server that has not seen the script only has it loaded."""
        assert turn.seconds == 0
    assert [taken.batch for taken in turn.taken] == [1]


def test_a_take_that_no_replica_confirms_is_not_ours(taking, monkeypatch):
    monkeypatch.setattr("worker.ledger.taking.WAITAOF_MS", 50)
    taking()
    with pytest.raises(LedgerUnavailable, match="did not confirm"):
        taking(Intent(lookahead_us=10_000_000, lead_us=0, expiry_us=40_000_000, confirm=True, replicas=1))


def test_a_take_on_a_server_that_has_just_been_made_forgetful_is_not_ours(taking, url):
    taking()
    configure(url, appendonly="no")
    with pytest.raises(LedgerError):
        taking()
    with redis.Redis.from_url(url) as client:
        assert client.hlen(keys.lane_attempts("main")) == 1, "so the caller must give every id back"
