"""How the simulator's options are written, and what is said about wrong ones."""

import pytest

from config.errors import ConfigError
from scripts.simulator import Limit, Simulator, SimulatorOptions, parse_fault, parse_limit, parse_reject
from scripts.simulator.options import parse_over, parse_postback, with_shares_checked


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("50/60s", Limit(calls=50, window_s=60.0)),
        ("10/1", Limit(calls=10, window_s=1.0)),
        ("5/0.5s", Limit(calls=5, window_s=0.5)),
    ],
)
def test_a_limit_is_calls_in_seconds(text, limit):
    assert parse_limit(text) == limit
    assert parse_limit(str(limit)) == limit


@pytest.mark.parametrize("text", ["reset:0.01", "hang#3", "429#3-5"])
def test_a_fault_reads_back_as_it_was_written(text):
    assert str(parse_fault(text)) == text


@pytest.mark.parametrize("text", ["99=23040", "1=30012", "01=952", "01=20A", "7=131026", "00001=E111", "2=E202"])
def test_a_reject_reads_back_as_it_was_written(text):
    assert str(parse_reject(text)) == text


@pytest.mark.parametrize(
    ("parse", "text"),
    [
        (parse_limit, "50"),
        (parse_limit, "0/1s"),
        (parse_limit, "1/0s"),
        (parse_limit, "-1/1s"),
        (parse_limit, "9" * 5000 + "/1s"),
        (parse_fault, "reset"),
        (parse_fault, "reset:2"),
        (parse_fault, "reset#0"),
        (parse_fault, "reset#" + "9" * 5000),
        (parse_fault, "reset#5-3"),
        (parse_fault, "gone:0.5"),
        (parse_reject, "99"),
        (parse_reject, "99=21010"),
        (parse_reject, "99=0"),
        (parse_reject, "99=30002"),
        (parse_postback, "ftp://127.0.0.1/"),
        (parse_postback, "http://127.0.0.1:99999/"),
        (parse_reject, "x=23040"),
        (parse_over, "500"),
    ],
)
def test_a_wrong_option_is_named_in_the_error(parse, text):
    with pytest.raises(ConfigError, match=f"'{text}'"):
        parse(text)


def test_shares_of_faults_are_parts_of_one_whole():
    options = SimulatorOptions(faults=(parse_fault("reset:0.6"), parse_fault("hang:0.5")))
    with pytest.raises(ConfigError, match="more than 1"):
        with_shares_checked(options)


def test_an_address_with_colons_stands_in_brackets_in_its_url():
    assert Simulator(host="::1", port=9933).url == "http://[::1]:9933"
    assert Simulator(host="127.0.0.1", port=9933).url == "http://127.0.0.1:9933"
