import subprocess
import sys
from pathlib import Path

import pytest
from celery import Celery

ROOT = Path(__file__).parents[2]


@pytest.fixture
def conf():
    app = Celery("trial", set_as_current=False)
    app.config_from_object("config.celery_options")
    return app.conf


def test_every_option_is_one_that_celery_knows(conf):
    from celery.app.defaults import NAMESPACES, flatten

    from config import celery_options

    known = {name for name, _ in flatten(NAMESPACES)}
    ours = {name for name, value in vars(celery_options).items() if name[0] != "_" and not callable(value)}
    assert {name for name in ours if not name.startswith("redbeat_")} <= known


def test_beat_asks_for_its_own_redis_with_our_prefix_and_short_times(conf):
    from redbeat.schedulers import RedBeatConfig

    app = Celery("trial", set_as_current=False)
    app.config_from_object("config.celery_options")
    redbeat = RedBeatConfig(app)  # what is not said in so many words is a DeprecationWarning, and so an error
    assert (redbeat.key_prefix, redbeat.schedule_key, redbeat.lock_key) == (
        "bs:beat:",
        "bs:beat::schedule",
        "bs:beat::lock",
    )
    assert (redbeat.lock_timeout, conf.beat_max_loop_interval) == (15, 2)
    assert conf.beat_scheduler == "redbeat.RedBeatScheduler"


def test_messages_are_json_and_nothing_is_kept(conf):
    assert (conf.task_serializer, conf.event_serializer, conf.accept_content) == ("json", "json", ["json"])
    assert conf.result_backend == "disabled://"
    assert conf.task_ignore_result is True


def test_a_worker_runs_threads_and_reserves_only_what_it_can_start(conf):
    assert (conf.worker_pool, conf.worker_concurrency, conf.worker_prefetch_multiplier) == ("threads", 64, 1)
    assert conf.task_acks_late is True


def test_a_half_open_connection_is_noticed(conf):
    options = conf.broker_transport_options
    assert options["socket_timeout"] == 10
    assert options["health_check_interval"] == 5


def test_the_options_can_be_read_with_no_variable_set_and_follow_the_one_that_is(tmp_path):
    program = "from config import celery_options; print(celery_options.broker_url)"

    def broker_url(environ):
        command = [sys.executable, "-c", program]
        return subprocess.run(command, env=environ, cwd=tmp_path, capture_output=True, text=True, check=True).stdout

    assert broker_url({}) == "redis://bulksend-redis-url-is-not-set.invalid:6379/0\n"
    assert broker_url({"BULKSEND_REDIS_URL": "unix:///r.sock?db=2"}) == "redis+socket:///r.sock?virtual_host=2\n"
    rabbit = {"BULKSEND_REDIS_URL": "redis://redis.example", "BULKSEND_BROKER_URL": "amqp://rabbit.example//"}
    assert broker_url(rabbit) == "amqp://rabbit.example//\n"


def test_beat_keeps_its_entries_beside_the_ledger_wherever_the_messages_are(tmp_path):
    program = "from config import celery_options; print(celery_options.redbeat_redis_url)"

    def redbeat_url(environ):
        command = [sys.executable, "-c", program]
        ours = environ | {"PYTHONPATH": str(ROOT)}
        return subprocess.run(command, env=ours, cwd=tmp_path, capture_output=True, text=True, check=True).stdout

    rabbit = {"BULKSEND_BROKER_URL": "amqp://rabbit.example//"}
    assert redbeat_url(rabbit) == "redis://bulksend-redis-url-is-not-set.invalid:6379/0\n"
    assert redbeat_url(rabbit | {"BULKSEND_REDIS_URL": "rediss://r.example/2"}) == "rediss://r.example/2\n"
    assert redbeat_url({"BULKSEND_REDIS_URL": "unix:///r.sock?db=2"}) == "unix:///r.sock?db=2\n"


@pytest.mark.parametrize("program", [["worker"], ["inspect", "ping"]], ids=" ".join)
def test_a_wrong_setting_is_one_sentence_whatever_celery_is_to_start(tmp_path, program):
    environ = {"PYTHONPATH": str(ROOT), "BULKSEND_REDIS_URL": "redis://127.0.0.1:1/0", "BULKSEND_JITTER_MS": "much"}
    command = [sys.executable, "-m", "celery", "-A", "worker.app", *program]
    done = subprocess.run(command, env=environ, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (2, "BULKSEND_JITTER_MS should be a valid number\n")
