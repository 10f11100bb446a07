"""The simulator as a process: what it prints, how it stops, how it says no."""

import json
import signal
import subprocess
import sys

import httpx
import pytest

pytestmark = pytest.mark.system


def _command(*arguments):
    return [sys.executable, "-m", "scripts.simulator", *arguments]


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_it_says_where_it_listens_serves_and_stops_cleanly(stop):
    with subprocess.Popen(
        _command("--port", "0", "--fault", "500#1", "--sid", "acme"), stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            said, _, url = process.stdout.readline().strip().rpartition(" ")
            assert said == "listening on"
            with httpx.Client(base_url=url, auth=("sim-key", "sim-token"), trust_env=False) as client:
                answer = client.post("/v1/Accounts/acme/Sms/send.json", data={"To": "1"})
                assert answer.status_code == 500
                assert client.get("/_sim/config").json()["faults"] == ["500#1"]
                process.send_signal(stop)
                assert process.wait(10) == 0
        finally:
            process.kill()


def test_with_json_its_output_is_one_document():
    with subprocess.Popen(_command("--json"), stdout=subprocess.PIPE, text=True) as process:
        try:
            assert json.loads(process.stdout.readline())["listening"].startswith("http://127.0.0.1:")
            process.terminate()
            assert process.communicate(timeout=10) == ("", None)
        finally:
            process.kill()


@pytest.mark.parametrize(
    "arguments",
    [
        ["--fault", "nope:1"],
        ["--limit", "fast"],
        ["--over", "500"],
        ["--reject", "x"],
        ["--get-limit", "x"],
        ["--skycore-postback", "x"],
    ],
)
def test_a_wrong_option_is_said_in_one_line_and_ends_with_2(arguments):
    done = subprocess.run(_command(*arguments), capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert arguments[1] in done.stderr


def test_a_port_in_use_is_said_in_one_line_and_ends_with_1():
    with subprocess.Popen(_command(), stdout=subprocess.PIPE, text=True) as process:
        try:
            port = process.stdout.readline().strip().rpartition(":")[2]
            done = subprocess.run(_command("--port", port), capture_output=True, text=True, check=False)
            assert (done.returncode, done.stderr) == (1, f"cannot listen on 127.0.0.1:{port}: Address already in use\n")
        finally:
            process.kill()
