"""A doorbell goes to the broker that the settings name at that moment."""

import json
import logging

import pytest
import redis

from config.broker import UNSET_BROKER_URL
from tasks.ring import ring
from worker.app import app


@pytest.fixture
def queued(redis_url, monkeypatch):
    """What lies in Celery's queue at the Redis that is configured: the arguments of each message."""
    monkeypatch.setenv("BULKSEND_REDIS_URL", redis_url)

    def arguments():
        with redis.Redis.from_url(redis_url) as client:
            messages = [json.loads(message) for message in client.lrange("bulksend", 0, -1)]
        return [(message["headers"]["task"], message["headers"]["argsrepr"]) for message in messages]

    return arguments


def test_a_bell_rings_where_the_ledger_is_though_celery_read_its_options_before(queued, monkeypatch):
    monkeypatch.setattr(app.conf, "broker_url", UNSET_BROKER_URL)
    ring(["main", "spare"])
    assert sorted(queued()) == [("bulksend.drain", "['main']"), ("bulksend.drain", "['spare']")]


def test_a_bell_that_can_not_ring_is_one_warning_that_names_no_password(monkeypatch, caplog):
    monkeypatch.setenv("BULKSEND_BROKER_URL", "amqp://bulksend:geheim@127.0.0.1:1//")
    with caplog.at_level(logging.WARNING, "bulksend.tasks"):
        ring(["main", "spare"])
    (record,) = caplog.records
    assert record.message.startswith("bell.not_rung why=")
    assert "geheim" not in record.message
