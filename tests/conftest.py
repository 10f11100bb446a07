"""One real server for all tests: the embedded Redis itself, with its data in a directory of pytest's."""

import itertools
import os

import pytest
import redis
from hypothesis import HealthCheck, settings

from config.errors import ConfigError
from worker.embedded import EmbeddedRedis
from worker.embedded_program import find_server

# How long an example takes says more of the machine's neighbours than of the code.
settings.register_profile("shared machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("shared machine")

_DATABASES = 16
_turns = itertools.count()


@pytest.fixture(scope="session")
def redis_server_url(tmp_path_factory):
    """URL of database 0 of a server that lives as long as the test run. Use `redis_url` for keys of one's own."""
    try:
        find_server()
    except ConfigError as error:
        if os.environ.get("CI"):
            pytest.fail(str(error))
        pytest.skip(str(error))
    with EmbeddedRedis(tmp_path_factory.mktemp("redis")) as server:
        yield server.start()


@pytest.fixture
def redis_url(redis_server_url):
    """URL of an empty database; the next tests get others, so a late writer of this one does not meet them."""
    url = redis_server_url.replace("?db=0", f"?db={next(_turns) % _DATABASES}")
    with redis.Redis.from_url(url) as client:
        client.flushdb()
    return url
