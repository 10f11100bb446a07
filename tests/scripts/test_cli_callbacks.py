"""`bulksend callbacks` as a process: what it prints, how it stops, how it says no, and what it never says."""

import json
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager

import httpx
import pytest

from config.settings import NO_REDIS
from worker.domain.callback_token import callback_url, is_signed
from worker.ledger import inbox

from .conftest import ACCOUNTS

pytestmark = pytest.mark.system

SECRET = "a-long-made-up-text"
BATCH = ("main", "offer-x1", 7)
BODY = "SmsSid=abc&To=09000000001&Status=sent"


@pytest.fixture(autouse=True)
def _secret(cli, monkeypatch):
    monkeypatch.setenv("BULKSEND_CALLBACK_SECRET", SECRET)


@contextmanager
def started(cli, *arguments, **settings):
    with cli.start("callbacks", "--port", "0", *arguments, **settings) as process:
        try:
            yield process, process.stdout.readline().strip()
        finally:
            process.kill()


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_it_says_where_it_listens_takes_reports_and_stops_cleanly(cli, stop):
    with started(cli) as (process, said):
        url = said.removeprefix("listening on ")
        assert url.startswith("http://127.0.0.1:")
        answers = [
            httpx.post(callback_url(url, secret, *BATCH), content=BODY, trust_env=False)
            for secret in (SECRET, "forged")
        ]
        assert [answer.status_code for answer in answers] == [200, 404]
        process.send_signal(stop)
        out, err = process.communicate(timeout=20)
    assert (process.returncode, out) == (0, "")
    assert [raw.posted.body for raw in inbox.read_reports(cli.client, "test", 10)] == [BODY.encode()]
    assert cli.client.llen("bulksend") == 1
    for secret in (SECRET, "9000000001", "Traceback", "reports/"):
        assert secret not in err


def test_it_stops_although_a_body_is_under_way_and_says_that_it_has_not_got_it(cli):
    with (
        started(cli) as (process, said),
        socket.create_connection(said.removeprefix("listening on http://").split(":")) as slow,
    ):
        path = callback_url("", SECRET, *BATCH)
        slow.sendall(f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nSmsSid=".encode())
        assert cli.process("status").code == 0  # meanwhile it has begun to read
        process.terminate()
        _, err = process.communicate(timeout=20)
        assert process.returncode == 0
        assert slow.recv(100).startswith(b"HTTP/1.1 503 ")
        assert "Traceback" not in err


def test_with_json_its_output_is_one_document_and_the_embedded_redis_will_do(cli, monkeypatch):
    monkeypatch.delenv("BULKSEND_REDIS_URL")
    with started(cli, "--json", "--data", "data") as (process, said):
        url = json.loads(said)["listening"]
        assert httpx.get(f"{url}/healthz", trust_env=False).status_code == 200
        assert httpx.post(callback_url(url, SECRET, *BATCH), content=BODY, trust_env=False).status_code == 200
        process.terminate()
        assert process.communicate(timeout=20)[0] == ""
        assert process.returncode == 0


def test_urls_are_printed_for_each_account(cli, monkeypatch):
    monkeypatch.setenv("BULKSEND_PUBLIC_URL", "https://sms.example/hooks")
    (document,) = cli("callbacks", "--urls", "--json").json
    public, token = document["url"].rsplit("/", 1)
    assert (document["account"], public) == ("main", "https://sms.example/hooks/reports/main")
    assert is_signed(token, [SECRET], "main", "", 0)
    assert cli("callbacks", "--urls").out.splitlines()[1] == f"main     {document['url']}"


XTEND = """
    [accounts.other]
    gateway = "xtend-whatsapp"
    base_url = "http://127.0.0.1:9"
    phone_number_id = "100000000000001"
    api_key = "sim-key"
"""


def test_an_account_whose_gateway_sends_no_reports_has_no_url(cli, monkeypatch):
    monkeypatch.setenv("BULKSEND_PUBLIC_URL", "https://sms.example/hooks")
    cli.write("accounts.toml", ACCOUNTS.replace("{url}", "http://127.0.0.1:9") + XTEND)
    assert [each["account"] for each in cli("callbacks", "--urls", "--json").json] == ["main"]
    cli.write("accounts.toml", XTEND)
    ended = cli("callbacks", "--urls")
    said = "no account in accounts.toml is at a gateway that sends delivery reports\n"
    assert (ended.code, ended.out, ended.err) == (0, said, "")
    assert cli("callbacks", "--urls", "--json").json == []


@pytest.mark.parametrize(
    ("arguments", "without", "sentence"),
    [
        ([], "CALLBACK_SECRET", "delivery reports need BULKSEND_CALLBACK_SECRET: set it to a long random text"),
        (["--urls"], "CALLBACK_SECRET", "delivery reports need BULKSEND_CALLBACK_SECRET: set it to a long random text"),
        (["--urls"], "PUBLIC_URL", "callback URLs need BULKSEND_PUBLIC_URL: set it to where gateways reach"),
        ([], "REDIS_URL", NO_REDIS),
    ],
)
def test_what_is_missing_is_said_in_one_sentence(cli, monkeypatch, arguments, without, sentence):
    monkeypatch.setenv("BULKSEND_PUBLIC_URL", "https://sms.example/hooks")
    monkeypatch.delenv(f"BULKSEND_{without}")
    ended = cli("callbacks", *arguments)
    assert (ended.code, ended.out, ended.err.count("\n")) == (2, "", 1)
    assert ended.err.startswith(sentence)


def test_a_port_in_use_is_said_in_one_sentence(cli):
    with started(cli) as (_, said):
        port = said.rpartition(":")[2]
        ended = cli("callbacks", "--port", port)
    assert (ended.code, ended.err) == (1, f"cannot listen on 127.0.0.1:{port}: Address already in use\n")


def test_a_server_of_ones_own_gets_it_by_import_and_reads_the_settings_when_it_starts(cli, tmp_path):
    command = [sys.executable, "-P", "-m", "uvicorn", "--uds", "socket", "worker.asgi:application"]
    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as process:
        try:
            while "Uvicorn running" not in process.stderr.readline():
                assert process.poll() is None
            transport = httpx.HTTPTransport(uds=str(tmp_path / "socket"))
            with httpx.Client(transport=transport, base_url="http://x", trust_env=False) as client:
                assert client.get("/healthz").status_code == 200
                assert client.post(callback_url("", SECRET, *BATCH), content=BODY).status_code == 200
        finally:
            process.terminate()
            process.communicate(timeout=20)


def test_a_server_of_ones_own_is_told_in_one_sentence_what_setting_is_missing(cli, monkeypatch, tmp_path):
    monkeypatch.delenv("BULKSEND_CALLBACK_SECRET")
    command = [sys.executable, "-P", "-m", "uvicorn", "--uds", "socket", "worker.asgi:application"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "delivery reports need BULKSEND_CALLBACK_SECRET: set it to a long random text" in done.stderr
    assert "Traceback" not in done.stderr
