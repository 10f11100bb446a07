import ssl

import pytest
import redis
from kombu import Connection

from config.broker import UNSET_BROKER_URL, broker_url_for


def connection_of(url):
    """Give the arguments with which kombu would connect its Redis client."""
    from kombu.transport import redis as transport

    channel = transport.Channel.__new__(transport.Channel)
    channel.connection = type("Parent", (), {"client": Connection(url), "default_port": 6379})()
    return channel._connparams()


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
        "rediss://bulksend:a%2Fb%40c@redis.example:6380/2?ssl_ca_certs=/etc/redis/ca.pem",
    ],
)
def test_celery_is_sent_to_the_server_and_database_of_the_ledger(url):
    ours = redis.ConnectionPool.from_url(url).connection_kwargs
    theirs = connection_of(broker_url_for(url))
    assert theirs["db"] == ours.get("db", 0)
    for key in ("path", "host", "username", "password"):
        assert theirs.get(key) == ours.get(key)


def tls_context_of(connection_class, arguments):
    """Give how a connection of redis-py would check its server."""
    chosen = {name: value for name, value in arguments.items() if name.startswith("ssl_")}
    connection = connection_class(**chosen)
    names = ("cert_reqs", "check_hostname", "ca_certs", "ca_path", "certfile", "keyfile", "certificate_password")
    return [getattr(connection, name) for name in (*names, "ssl_ciphers")]


@pytest.mark.parametrize(
    "query",
    [
        "",
        "?ssl_ca_certs=/etc/redis/ca.pem",
        "?ssl_certfile=/etc/redis/me.pem&ssl_keyfile=/etc/redis/me.key&ssl_ca_certs=/etc/redis/ca.pem",
        "?ssl_check_hostname=false",
        "?ssl_cert_reqs=none",
        "?ssl_cert_reqs=optional",
        "?ssl_ca_path=/etc/ssl/certs&ssl_password=p&ssl_ciphers=ECDHE&ssl_check_hostname=True",
    ],
)
def test_celery_checks_the_servers_certificate_exactly_as_the_ledger_does(query):
    url = f"rediss://redis.example:6380/2{query}"
    ours = redis.ConnectionPool.from_url(url)
    theirs = connection_of(broker_url_for(url))
    assert issubclass(ours.connection_class, redis.SSLConnection)
    assert issubclass(theirs["connection_class"], redis.SSLConnection)
    expected = tls_context_of(redis.SSLConnection, ours.connection_kwargs)
    assert tls_context_of(redis.SSLConnection, theirs) == expected
    assert (expected[0] == ssl.CERT_REQUIRED) == ("cert_reqs" not in query)


def test_an_address_of_rabbitmq_is_in_celerys_words_already():
    url = "amqp://bulksend:a%2Fb@rabbit.example:5672/bulksend?heartbeat=10"
    assert broker_url_for(url) == url


def test_without_a_redis_the_broker_is_a_host_that_can_not_exist_and_names_the_setting():
    assert broker_url_for(None) == UNSET_BROKER_URL
    assert Connection(UNSET_BROKER_URL).hostname == "bulksend-redis-url-is-not-set.invalid"
