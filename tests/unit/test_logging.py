import json
import logging
import warnings

import pytest
import structlog

from config.logging import configure_logging
from config.settings import Settings


@pytest.fixture(autouse=True)
def _logging_as_before():
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    logging.captureWarnings(capture=False)
    root.handlers[:] = handlers
    root.setLevel(level)
    for name in ("httpx", "httpcore"):
        logging.getLogger(name).setLevel(logging.NOTSET)
    structlog.reset_defaults()


def logged(capsys):
    captured = capsys.readouterr()
    assert captured.out == ""
    return captured.err


def test_an_event_is_one_json_line_on_standard_error(capsys):
    configure_logging(Settings(_env_file=None, log_format="json"))
    structlog.get_logger("worker.drain").info("batch.settled", campaign="c-1", accepted=99)
    line = json.loads(logged(capsys))
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "batch.settled",
        "campaign": "c-1",
        "accepted": 99,
        "level": "info",
        "logger": "worker.drain",
    }


def test_an_event_for_people_has_its_fields_and_no_colour_where_nobody_looks(capsys):
    configure_logging(Settings(_env_file=None))
    structlog.get_logger().info("batch.settled", campaign="c-1")
    line = logged(capsys)
    assert "batch.settled" in line
    assert "campaign=c-1" in line
    assert "\x1b" not in line


def test_libraries_write_in_the_same_format_and_httpx_only_warns(capsys):
    configure_logging(Settings(_env_file=None, log_format="json"))
    logging.getLogger("httpx").info("HTTP Request: POST somewhere")
    logging.getLogger("celery.worker").warning("lost %s", "the broker")
    line = json.loads(logged(capsys))
    assert (line["event"], line["level"], line["logger"]) == ("lost the broker", "warning", "celery.worker")


def test_what_is_below_the_level_is_dropped(capsys):
    configure_logging(Settings(_env_file=None, log_level="WARNING"))
    structlog.get_logger().info("batch.taken")
    assert logged(capsys) == ""


def test_a_second_call_replaces_the_first(capsys):
    configure_logging(Settings(_env_file=None))
    configure_logging(Settings(_env_file=None, log_format="json"))
    structlog.get_logger().info("batch.taken")
    assert json.loads(logged(capsys))["event"] == "batch.taken"


def test_a_warning_is_a_log_line(capsys):
    configure_logging(Settings(_env_file=None, log_format="json"))
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("old way", DeprecationWarning, stacklevel=1)
    assert "old way" in json.loads(logged(capsys))["event"]


@pytest.mark.parametrize("log_format", ["console", "json"])
def test_a_traceback_shows_no_local_variables(capsys, log_format):
    configure_logging(Settings(_env_file=None, log_format=log_format))
    number = "+919000000001"
    try:
        _ = 1 / (len(number) - 13)
    except ZeroDivisionError:
        structlog.get_logger().exception("drain.failed")
    text = logged(capsys)
    assert "ZeroDivisionError" in text
    assert "9000000001" not in text
