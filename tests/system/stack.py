"""Real processes for the system tests: a Redis server, the simulator, workers, and the ledger as its readers see it."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import redis
from celery import Celery

from worker.domain.ids import AccountName, CampaignId
from worker.embedded_program import find_server
from worker.ledger.connection import connect
from worker.ledger.operating import cancel, open_account, pause, resume
from worker.ledger.reading import Standing, lanes, standings
from worker.ledger.record import ReportRow, report_rows

ROOT = Path(__file__).resolve().parents[2]


def free_port() -> int:
    """Return a port of 127.0.0.1 on which nothing listens now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(look: Callable[[], Any], what: str, within_s: float = 20.0) -> Any:
    """Return the first true value of `look`; fail with `what` after `within_s`."""
    ends = time.monotonic() + within_s
    while True:
        value = look()
        if value:
            return value
        assert time.monotonic() < ends, f"not within {within_s} s: {what}"
        time.sleep(0.02)


class RedisServer:
    """A Redis server on a port of its own, durable as the product wants it; may be killed and started again."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> "RedisServer":
        options = {
            "port": self.port, "bind": "127.0.0.1", "dir": self.directory, "save": "", "appendonly": "yes",
            "appendfsync": "always", "maxmemory-policy": "noeviction", "logfile": "redis.log",
        }  # fmt: skip
        words = [str(word) for name, value in options.items() for word in (f"--{name}", value)]
        self.process = subprocess.Popen([str(find_server()), *words])
        client = connect(self.url)
        wait_for(lambda: _answers(client), "Redis answers")
        client.close()
        return self

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()


def _answers(client: redis.Redis) -> bool:
    try:
        return bool(client.ping())
    except redis.exceptions.RedisError:
        return False


class Simulator:
    """`python -m scripts.simulator` with the given options."""

    def __init__(self, *options: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "scripts.simulator", "--port", "0", *options],
            cwd=ROOT, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        line = self.process.stdout.readline()
        assert line.startswith("listening on "), line
        self.url = line.split()[-1]

    def get(self, what: str) -> Any:
        return httpx.get(f"{self.url}/_sim/{what}", timeout=30).raise_for_status().json()

    def stats(self) -> dict[str, Any]:
        return self.get("stats")

    def messages(self) -> list[dict[str, Any]]:
        return self.get("messages")

    def configure(self, **options: Any) -> None:
        httpx.post(f"{self.url}/_sim/config", json=options, timeout=30).raise_for_status()

    def arrivals(self) -> list[dict[str, Any]]:
        """Return every POST by its number: `number`, `at` (seconds since the epoch), `path`, `status`, `messages`…"""
        return self.get("requests")


@dataclass
class Stack:
    """One test's server, simulator, workers and files; everything is ended with the test."""

    directory: Path
    server: RedisServer
    processes: list[subprocess.Popen[Any]] = field(default_factory=list)
    redis_url: str = ""
    accounts_file: Path = Path()
    simulator: Simulator | None = None
    own: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.redis_url = self.redis_url or self.server.url
        self.accounts_file = self.directory / "accounts.toml"

    @property
    def environ(self) -> dict[str, str]:
        own = {
            "BULKSEND_REDIS_URL": self.redis_url,
            "BULKSEND_ACCOUNTS_FILE": str(self.accounts_file),
            "PYTHONPATH": str(ROOT),
        }
        return os.environ | own | self.own

    def simulate(self, *options: str) -> Simulator:
        """Start the simulator that the accounts will use."""
        self.simulator = Simulator(*options)
        self.processes.append(self.simulator.process)
        return self.simulator

    def account(self, name: str = "main", *, url: str | None = None, **keys: Any) -> None:
        """Add an account to the accounts file, at the simulator unless `url` says otherwise; `None` drops a key."""
        base_url = url or (self.simulator.url if self.simulator else "http://127.0.0.1:9")
        table = {
            "gateway": "exotel-sms", "base_url": base_url, "sid": "sim", "api_key": "sim-key",
            "api_token": "sim-token", "requests": "100/second", "concurrency": 8, "timeout": 5.0,
        } | keys  # fmt: skip
        given = {key: value for key, value in table.items() if value is not None}
        lines = [f"[accounts.{name}]", *(f"{key} = {json.dumps(value)}" for key, value in given.items())]
        with self.accounts_file.open("a") as file:
            file.write("\n".join(lines) + "\n")

    def worker(self, *options: str, app: str = "worker.app", **environ: str) -> subprocess.Popen[Any]:
        """Start `celery -A APP worker` and wait until it is ready; its log is `worker-N.log`."""
        return self.workers(1, *options, app=app, **environ)[0]

    def workers(
        self, count: int, *options: str, app: str = "worker.app", **environ: str
    ) -> list[subprocess.Popen[Any]]:
        """Start so many workers at once and wait until all are ready; what they print goes to `worker-N.out`."""
        started = [self._launch(options, app, environ) for _ in range(count)]
        for process, log in started:
            wait_for(lambda: " ready." in log.read_text() or process.poll() is not None, "worker ready", 30)  # noqa: B023
            assert process.poll() is None, log.read_text()
        return [process for process, _ in started]

    def _launch(
        self, options: tuple[str, ...], app: str, environ: dict[str, str]
    ) -> tuple[subprocess.Popen[Any], Path]:
        log = self.directory / f"worker-{len(self.processes)}.log"
        command = [sys.executable, "-m", "celery", "-A", app, "worker", "-n", f"{log.stem}@test", "--without-mingle"]
        with log.open("w") as stderr, log.with_suffix(".out").open("w") as stdout:
            process = subprocess.Popen(
                [*command, *options],
                cwd=ROOT, env=self.environ | environ, stderr=stderr, stdout=stdout,
            )  # fmt: skip
        self.processes.append(process)
        return process, log

    def callbacks(self, *options: str) -> str:
        """Start the callback service and return its URL, which processes started from now on give to gateways."""
        port = free_port()
        self.own |= {"BULKSEND_PUBLIC_URL": f"http://127.0.0.1:{port}", "BULKSEND_CALLBACK_SECRET": "sign-tests-only"}
        command = [sys.executable, "-m", "scripts.cli", "callbacks", "--port", str(port), *options]
        with (self.directory / "callbacks.log").open("w") as log:
            process = subprocess.Popen(
                command, cwd=ROOT, env=self.environ, stdout=subprocess.PIPE, stderr=log, text=True
            )  # fmt: skip
        self.processes.append(process)
        line = process.stdout.readline()
        assert line.startswith("listening on "), line
        return line.split()[-1]

    def logs(self) -> str:
        """Return what all workers logged."""
        return "".join(path.read_text() for path in sorted(self.directory.glob("worker-*.log")))

    def enqueue(self, recipients: Iterable[Mapping[str, str]], *, id: str = "c1", **keys: Any) -> CampaignId:  # noqa: A002
        """Queue a campaign through `tasks.enqueue` in a process like a user's; recipients need `to` and the columns."""
        campaign = {"name": "c", "accounts": ["main"], "from": "EXOTEL", "body": "Hello {name}"} | keys
        rows = self.directory / f"{id}.jsonl"
        rows.write_text("".join(json.dumps(row) + "\n" for row in recipients))
        given = {key: value for key, value in (campaign | {"recipients": str(rows)}).items() if value is not None}
        lines = [f"{key} = {_toml(value)}" for key, value in given.items()]
        file = self.directory / f"{id}.toml"
        file.write_text("\n".join(lines) + "\n")
        program = "import sys, pathlib, tasks; tasks.enqueue(pathlib.Path(sys.argv[1]), id=sys.argv[2])"
        command = [sys.executable, "-c", program, str(file), id]
        subprocess.run(command, cwd=ROOT, env=self.environ, check=True, timeout=60)
        return CampaignId(id)

    def standing(self, campaign_id: CampaignId) -> Standing:
        """Return where the campaign stands, after holding the law against it."""
        with connect(self.redis_url) as client:
            found = standings(client, [campaign_id])[0]
        holds_the_law(found)
        return found

    def wait_for_state(self, campaign_id: CampaignId, state: str, within_s: float = 30.0) -> Standing:
        """Return the standing once the campaign is in `state`."""
        wait_for(lambda: self.standing(campaign_id).state == state, f"{campaign_id} {state}", within_s)
        return self.standing(campaign_id)

    def lane(self, account: str = "main") -> Any:
        """Return the account's lane as `accounts` shows it."""
        with connect(self.redis_url) as client:
            return lanes(client, [AccountName(account)])[AccountName(account)]

    def record(self, campaign_id: CampaignId) -> list[ReportRow]:
        """Return what the report says of each row of the input."""
        with connect(self.redis_url) as client:
            return list(report_rows(client, campaign_id))

    def ring(self, account: str = "main", times: int = 1, task_id: str | None = None) -> None:
        """Send so many doorbells for the account's lane, all as one Celery message if `task_id` is given."""
        bell = Celery(broker=self.redis_url, set_as_current=False)
        bell.conf.task_default_queue = "bulksend"
        for _ in range(times):
            bell.send_task("bulksend.drain", args=[account], task_id=task_id, ignore_result=True)
        bell.close()

    def open(self, account: str = "main") -> None:
        """Open the account as an operator does."""
        with connect(self.redis_url) as client:
            open_account(client, AccountName(account))
        self.ring(account)

    def pause(self, campaign_id: CampaignId) -> str:
        """Pause the campaign as an operator does; return its state after it."""
        with connect(self.redis_url) as client:
            return pause(client, campaign_id, "paused by the test")

    def resume(self, campaign_id: CampaignId, account: str = "main") -> str:
        """Resume the campaign as an operator does; return its state after it."""
        with connect(self.redis_url) as client:
            state = resume(client, campaign_id)
        self.ring(account)
        return state

    def cancel(self, campaign_id: CampaignId) -> str:
        """Cancel the campaign as an operator does; return its state after it."""
        with connect(self.redis_url) as client:
            return cancel(client, campaign_id, "cancelled by the test")

    def change_account(self, old: str, new: str) -> None:
        """Replace a piece of the accounts file, which no reader sees half written."""
        changed = self.accounts_file.with_suffix(".new")
        changed.write_text(self.accounts_file.read_text().replace(old, new))
        changed.replace(self.accounts_file)

    def close(self) -> None:
        """End every process that the test started."""
        for process in self.processes:
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.kill()
            process.wait()
            if process.stdout is not None:
                process.stdout.close()
        if self.server.process is not None and self.server.process.poll() is None:
            self.server.kill()


def _toml(value: Any) -> str:
    """Write a value as TOML; a text and a list of texts look as in JSON."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{json.dumps(key)} = {_toml(inner)}" for key, inner in value.items()) + "}"
    return json.dumps(value)


def holds_the_law(standing: Standing) -> None:
    """Fail unless both sums of the law hold."""
    s = standing
    assert s.rows == s.invalid + s.duplicate + s.suppressed + s.queued, s
    settled = s.accepted + s.rejected + s.unconfirmed + s.expired + s.cancelled
    assert s.queued == s.pending + s.in_flight + settled, s
    assert s.state != "finished" or (s.pending, s.in_flight) == (0, 0), s


def people(count: int, first: int = 0) -> list[dict[str, str]]:
    """Return made-up recipients, each with a number and a name of their own."""
    return [{"to": f"+9190000{i:05d}", "name": f"P{i}"} for i in range(first, first + count)]


@contextmanager
def opened(directory: Path):
    """Give a stack with a running Redis server."""
    stack = Stack(directory, RedisServer(directory).start())
    try:
        yield stack
    finally:
        stack.close()
