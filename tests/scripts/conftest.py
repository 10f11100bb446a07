"""A simulator for each test that asks for one, and a client that knows its credentials; the command line, and files."""

import json
import logging
import os
import subprocess
import sys
import textwrap
import threading
from collections import defaultdict
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest
import structlog

from scripts.cli import main
from scripts.simulator import Simulator, SimulatorOptions
from worker.ledger.connection import connect

ACCOUNTS = """
    [accounts.main]
    gateway = "exotel-sms"
    base_url = "{url}"
    sid = "sim"
    api_key = "sim-key"
    api_token = "sim-token"
    requests = "50/second"
    timeout = 5
"""
CAMPAIGN = """
    name = "offer"
    accounts = ["main"]
    recipients = "people.csv"
    to = "phone"
    body = "Dear {name}!"
"""
PEOPLE = """
    phone,name
    +919000000001,Asha
    90000 00002,Bala
    12,Chitra
    09000000001,Dev
    +919000000005,Esha
"""

XTEND_SMS = {
    "pass": "sim-token",
    "senderid": "EXOTEL",
    "msgtype": "TXT",
    "dltheaderid": "1105000000000000001",
    "dltentityid": "1101000000000000001",
    "dlttempid": "1107000000000000001",
    "response": "Y",
}


class FakeClock:
    """Seconds since the epoch, moved by the test alone."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


class Site:
    """A simulator and a client of it."""

    def __init__(self, simulator, client, clock):
        self.simulator, self.client, self.clock = simulator, client, clock

    async def bulk(self, messages, *, suffix=".json", **outer):
        """One dynamic bulk call; each message is a dict of its fields, or a number."""
        form = dict(outer)
        for index, message in enumerate(messages):
            fields = message if isinstance(message, dict) else {"To": message, "Body": f"Hello {index}"}
            form |= {f"Messages[{index}][{name}]": value for name, value in fields.items()}
        return await self.client.post(f"/v1/Accounts/sim/Sms/bulksend{suffix}", data=form)

    async def send(self, form, *, suffix=".json"):
        """One call to Sms/send with just these parameters."""
        return await self.client.post(f"/v1/Accounts/sim/Sms/send{suffix}", data=form)

    async def call(self, gateway, number, body="Hello", account="sim", **more):
        """One call with one message at any gateway, by the sample of its document."""
        match gateway:
            case "exotel-sms":
                form = {"Messages[0][To]": number, "Messages[0][Body]": body} | more
                return await self.client.post(f"/v1/Accounts/{account}/Sms/bulksend.json", data=form)
            case "exotel-whatsapp":
                content = {"recipient_type": "individual", "type": "text", "text": {"body": body}}
                message = {"from": "+919000099999", "to": number, "content": content} | more
                document = {"whatsapp": {"messages": [message]}}
                return await self.client.post(f"/v2/accounts/{account}/messages", json=document)
            case "xtend-sms":
                form = XTEND_SMS | {"username": account, "dest_mobileno": number, "message": body} | more
                return await self.client.post("/blank/sms/user/urlsms.php", data=form)
            case "xtend-whatsapp":
                document = {
                    "messaging_product": "whatsapp",
                    "to": number,
                    "type": "text",
                    "text": {"body": body},
                } | more
                return await self.client.post(
                    f"/v3/{account}/messages", json=document, headers={"apikey": "sim-key"}, auth=None
                )
            case "skycore-sms":
                key = "sim-key" if account == "sim" else account
                document = {"action": "sendsms", "message-text": body, "to": number, "from": "50000"} | more
                return await self.client.post("/skycore", json=document, headers={"x-api-key": key}, auth=None)


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.fixture
def site():
    """`async with site(**options) as it`: a simulator with these options, on a clock that stands still."""

    @asynccontextmanager
    async def opened(**options):
        clock = FakeClock()
        async with (
            Simulator(SimulatorOptions(**options), clock=clock) as simulator,
            httpx.AsyncClient(base_url=simulator.url, auth=("sim-key", "sim-token"), trust_env=False) as client,
        ):
            yield Site(simulator, client, clock)

    return opened


@dataclass
class Ended:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self):
        return json.loads(self.out)


class CommandLine:
    """`bulksend` in a directory with an accounts file, a campaign and its recipients."""

    def __init__(self, directory, redis_url, capsys):
        self.directory, self.redis_url, self.capsys = directory, redis_url, capsys
        self.client = connect(redis_url)
        self.write("accounts.toml", ACCOUNTS.replace("{url}", "http://127.0.0.1:9"))
        self.write("offer.toml", CAMPAIGN)
        self.write("people.csv", PEOPLE)

    def write(self, name, content):
        content = content if isinstance(content, bytes) else textwrap.dedent(content).lstrip().encode()
        (self.directory / name).write_bytes(content)

    def __call__(self, *arguments):
        """In this process."""
        self.capsys.readouterr()
        code = main(arguments)
        out, err = self.capsys.readouterr()
        return Ended(code, out, err)

    def start(self, *arguments, **settings):
        """As a process that is left running."""
        command = [sys.executable, "-P", "-m", "scripts.cli", *arguments]
        pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        return subprocess.Popen(command, cwd=self.directory, text=True, **{**pipes, **settings})

    def process(self, *arguments, **settings):
        """As a process, to its end."""
        with self.start(*arguments, **settings) as process:
            out, err = process.communicate(timeout=50)
        return Ended(process.returncode, out, err)

    @property
    def is_untouched(self):
        """Nothing of any campaign is in Redis."""
        return not self.client.keys("bs:c*")


@pytest.fixture
def cli(tmp_path, monkeypatch, redis_url, capsys):
    monkeypatch.chdir(tmp_path)
    for name in list(os.environ):
        if name.startswith("BULKSEND_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("BULKSEND_REDIS_URL", redis_url)
    monkeypatch.setenv("BULKSEND_ACCOUNTS_FILE", "accounts.toml")
    line = CommandLine(tmp_path, redis_url, capsys)
    yield line
    line.client.close()
    logging.captureWarnings(capture=False)
    logging.basicConfig(handlers=[logging.NullHandler()], force=True)
    structlog.reset_defaults()


@pytest.fixture
def simulator(cli):
    """`url, stats = simulator(*options)`: a simulator as a process, which the account "main" then names."""
    started = []

    def begin(*options):
        process = cli.start("simulator", "--json", *options)
        started.append(process)
        url = json.loads(process.stdout.readline())["listening"]
        cli.write("accounts.toml", ACCOUNTS.replace("{url}", url))
        return url, lambda: httpx.get(f"{url}/_sim/stats", trust_env=False).json()

    yield begin
    for process in started:
        process.terminate()
        process.communicate(timeout=10)


class Informant(ThreadingHTTPServer):
    """A gateway that only knows details: `answers[sid]` are (status, headers, body) in turn, the last one for good."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Informing)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.answers = defaultdict(lambda: [(200, {}, b"No matching results")])
        self.asked = []  # Sids, in the order in which they came
        self.requests = []
        self.turn = threading.Lock()

    def handle_error(self, request, client_address):
        """Whoever asked broke off: that is what some tests are about."""

    def knows(self, sid, *answers):
        """Each answer is the fields of a message, or (status, headers, body)."""
        made = [answer if isinstance(answer, tuple) else (200, {}, self.message(sid, answer)) for answer in answers]
        self.answers[sid] = made

    @staticmethod
    def message(sid, fields):
        return json.dumps({"SMSMessage": {"Sid": sid, "To": "09000000001", **fields}}).encode()


class _Informing(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        server, sid = self.server, self.path.rpartition("/")[2].removesuffix(".json")
        with server.turn:
            server.asked.append(sid)
            server.requests.append((self.requestline, dict(self.headers)))
            answers = server.answers[sid]
            status, headers, body = answers.pop(0) if len(answers) > 1 else answers[0]
        if status == 0:  # breaks off
            self.close_connection = True
            return
        self.send_response(status)
        for name, text in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, text)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def informant():
    with Informant() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()
