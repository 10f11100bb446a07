import pytest
import redis
from kombu import Connection

from config.broker import UNSET_BROKER_URL, broker_url_for


def connection_of(url):
    """Give the arguments with which kombu would connect its Redis client."""
    from kombu.transport import redis as transport

    channel = transport.Channel.__new__(transport.Channel)
    channel.connection = type("Parent", (), {"client": Connection(url), "default_port": 6379})()
    return {key: value for key, value in channel._connparams().items() if key in {"path", "db", "host", "password"}}


@pytest.mark.parametrize(
    "url",
    [
        "unix:///run/bulksend/redis.sock?db=3",
        "unix:///a%20b/%3B%25c/redis.sock?db=0",
        "unix:///run/redis.sock",
        "unix://:made-up@/run/redis.sock?db=1",
        "redis://127.0.0.1:7001/5",
        "redis://127.0.0.1:7001?db=5",
        "redis://127.0.0.1:7001",
        "rediss://:made-up@redis.example:6380/2",
    ],
)
def test_celery_is_sent_to_the_server_and_database_of_the_ledger(url):
    ours = redis.ConnectionPool.from_url(url).connection_kwargs
    theirs = connection_of(broker_url_for(url))
    assert theirs["db"] == ours.get("db", 0)
    for key in ("path", "host", "password"):
        assert theirs.get(key) == ours.get(key)


def test_without_a_redis_the_broker_is_a_host_that_can_not_exist_and_names_the_setting():
    assert broker_url_for(None) == UNSET_BROKER_URL
    assert Connection(UNSET_BROKER_URL).hostname == "bulksend-redis-url-is-not-set.invalid"
