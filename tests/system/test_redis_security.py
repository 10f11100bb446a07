"""Redis over TLS and as a user with few rights: the ledger and Celery both pass, and nobody else does.

The server program has no TLS of its own here, so a proxy in the test ends it, as stunnel or a cloud's edge would.
"""

import os
import re
import shutil
import subprocess
import sys

import pytest
import redis
from kombu import Connection

from config.broker import broker_url_for
from tests.system.stack import ROOT, people
from worker.ledger.connection import connect
from worker.ledger.errors import LedgerUnavailable, translated

pytestmark = pytest.mark.system

PASSWORD = "made-up/+@:"
QUOTED = "made-up%2F%2B%40%3A"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate for 127.0.0.1 that signs itself, and its key."""
    openssl = shutil.which("openssl")
    if openssl is None:
        if os.environ.get("CI"):
            pytest.fail("openssl is missing")
        pytest.skip("openssl is missing")
    directory = tmp_path_factory.mktemp("tls")
    command = [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=redis"]
    files = [
        "-addext",
        "subjectAltName=IP:127.0.0.1",
        "-keyout",
        directory / "redis.key",
        "-out",
        directory / "redis.crt",
    ]
    subprocess.run([*command, *files], check=True, capture_output=True)
    return directory / "redis.crt"


@pytest.fixture
def tls_port(stack, certificate):
    """The port at which the test's server is reached over TLS."""
    command = [sys.executable, "-m", "tests.system.tls_proxy", certificate, str(stack.server.port)]
    process = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=stack.environ
    )
    stack.processes.append(process)
    return int(process.stdout.readline())


@pytest.fixture
def restricted(stack):
    """The user of config/redis.conf and nobody else; gives its part of a URL."""
    text = (ROOT / "config" / "redis.conf").read_text()
    rules = re.search(r"^# user bulksend (.*)$", text, re.MULTILINE)[1].replace("PASSWORD", PASSWORD).split()
    with connect(stack.server.url) as admin:
        admin.set("of-another-application", "1")
        admin.execute_command("ACL", "SETUSER", "bulksend", *rules)
        admin.execute_command("ACL", "SETUSER", "keeper", "on", ">kept", "~*", "&*", "+@all")
        admin.execute_command("ACL", "SETUSER", "default", "off")
    return f"bulksend:{QUOTED}@"


def test_a_campaign_is_sent_over_tls_by_a_user_with_few_rights(stack, tls_port, restricted, certificate):
    stack.redis_url = f"rediss://{restricted}127.0.0.1:{tls_port}/0?ssl_ca_certs={certificate}"
    stack.simulate()
    stack.account(requests="20/second")
    stack.worker()
    campaign = stack.enqueue(people(250))
    ping = [sys.executable, "-m", "celery", "-A", "worker.app", "inspect", "ping", "--timeout", "2"]
    asked = subprocess.run(ping, cwd=ROOT, env=stack.environ, capture_output=True, text=True, check=False)
    assert "pong" in asked.stdout, asked.stderr
    stack.redis_url = f"redis://keeper:kept@127.0.0.1:{stack.server.port}/0"
    assert stack.wait_for_state(campaign, "finished").accepted == 250
    with connect(stack.redis_url) as keeper:
        assert [entry["object"] for entry in keeper.acl_log()] == []
    said = stack.logs() + asked.stdout + asked.stderr
    assert PASSWORD not in said
    assert QUOTED not in said


@pytest.mark.parametrize(
    "command",
    [
        ("GET", "of-another-application"),
        ("SET", "of-another-application", "2"),
        ("EVAL", "return redis.call('GET', 'of-another-application')", "0"),
        ("FLUSHALL",),
        ("KEYS", "*"),
        ("CONFIG", "SET", "appendonly", "no"),
        ("SHUTDOWN",),
        ("ACL", "LIST"),
        ("SUBSCRIBE", "of-another-application"),
    ],
    ids=" ".join,
)
def test_that_user_may_do_nothing_else(stack, restricted, command):
    refused = pytest.raises(redis.exceptions.ResponseError, match=r"permission|ACL failure")
    with connect(f"redis://{restricted}127.0.0.1:{stack.server.port}/0") as client, refused:
        client.execute_command(*command)


def test_a_certificate_that_nobody_vouches_for_is_refused_by_the_ledger_and_by_celery(tls_port):
    url = f"rediss://127.0.0.1:{tls_port}/0"
    with connect(url) as client, pytest.raises(LedgerUnavailable, match="CERTIFICATE_VERIFY_FAILED"), translated():
        client.ping()
    with Connection(broker_url_for(url)) as broker, pytest.raises(broker.connection_errors, match="CERTIFICATE_VERIFY"):
        broker.channel()


def test_a_certificate_for_another_host_is_refused_by_the_ledger_and_by_celery(tls_port, certificate):
    url = f"rediss://localhost:{tls_port}/0?ssl_ca_certs={certificate}"
    with connect(url) as client, pytest.raises(LedgerUnavailable, match="CERTIFICATE_VERIFY_FAILED"), translated():
        client.ping()
    with Connection(broker_url_for(url)) as broker, pytest.raises(broker.connection_errors, match="CERTIFICATE_VERIFY"):
        broker.channel()
