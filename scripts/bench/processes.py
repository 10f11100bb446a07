"""The processes of a run: the embedded Redis, simulators and workers, started as a deployment starts them.

The bench's own process is the producer: it enqueues, pauses and resumes as the commands do.
"""

import itertools
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self, TypeVar

import httpx
import redis

from scripts.bench.machine import Neighbours, own_cpu_s, process_cpu_s
from tasks import Campaign, enqueue
from worker.domain.ids import AccountName, CampaignId
from worker.embedded import EmbeddedRedis
from worker.ledger import keys
from worker.ledger.connection import connect
from worker.ledger.reading import Standing, standings

ROOT = Path(__file__).resolve().parents[2]
READY_S = 60.0
_LOOK_S = 0.1
_BATCH = 100
_TAIL_LINES = 20

BODIES = {"static": "Your order is on its way.", "dynamic": "Dear {name}, order {order} is on its way."}
"""Texts of campaigns: the same for everybody, and one a person."""

T = TypeVar("T")


class ProcessFailed(Exception):
    """A process of the run did not do what the measurement needs; no figure comes of it."""


def wait_for(look: Callable[[], T | None], what: str, within_s: float) -> T:
    """Return the first thing found by `look`, asked every 100 ms; `ProcessFailed` with `what` after `within_s`."""
    ends = time.monotonic() + within_s
    while True:
        found = look()
        if found is not None:
            return found
        if time.monotonic() > ends:
            raise ProcessFailed(f"not within {within_s:g} s: {what}")
        time.sleep(_LOOK_S)


def national(i: int) -> str:
    """Return the ten digits of the made-up recipient `i`, from 0."""
    return f"90000{i:05d}" if i < 100_000 else f"910{i:07d}"  # noqa: PLR2004


def people(batches: int) -> Iterator[dict[str, str]]:
    """Give made-up recipients for so many full batches, each with a text of their own."""
    for i in range(batches * _BATCH):
        yield {"to": f"+91{national(i)}", "name": f"Person {i}", "order": f"A-{i}"}


@dataclass(slots=True)
class Simulator:
    """`python -m scripts.simulator` with the given options, which knows every account sid."""

    process: subprocess.Popen[str]
    url: str

    @classmethod
    def start(cls, *options: str) -> Self:
        """Start it and wait until it listens."""
        command = [sys.executable, "-m", "scripts.simulator", "--port", "0", "--sid", "*", *options]
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        said = process.stdout.readline() if process.stdout else ""
        if not said.startswith("listening on "):
            raise ProcessFailed("the simulator does not start")
        return cls(process=process, url=said.split()[-1])

    def configure(self, **options: object) -> None:
        """Change its options, and forget what it has seen."""
        httpx.post(f"{self.url}/_sim/config", json=options, timeout=READY_S).raise_for_status()
        httpx.post(f"{self.url}/_sim/reset", timeout=READY_S).raise_for_status()

    def stats(self) -> dict[str, Any]:
        """Return its counts since the last `configure`: cheaper for it than `arrivals`."""
        answer = httpx.get(f"{self.url}/_sim/stats", timeout=READY_S).raise_for_status()
        found: dict[str, Any] = answer.json()
        return found

    def arrivals(self) -> list[dict[str, Any]]:
        """Return every call since the last `configure`, in order of arrival."""
        answer = httpx.get(f"{self.url}/_sim/requests", timeout=READY_S).raise_for_status()
        found: list[dict[str, Any]] = answer.json()
        return found


@dataclass(slots=True)
class Worker:
    """`celery -A worker.app worker`, with its log."""

    process: subprocess.Popen[bytes]
    log: Path

    def events(self, name: str, campaign: CampaignId) -> int:
        """Return how often its log has the event for the campaign."""
        lines = self.log.read_text(encoding="utf-8").splitlines()
        return sum(f'"{name}"' in line and f'"{campaign}"' in line for line in lines)

    def stop(self) -> None:
        """End it cleanly, or by force after a minute."""
        self.process.terminate()
        try:
            self.process.wait(READY_S)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """End it as a crash does."""
        self.process.kill()
        self.process.wait()


@dataclass(slots=True)
class Stage:
    """One run's Redis, and the simulators and workers that live now."""

    directory: Path
    url: str
    client: redis.Redis
    workers: list[Worker] = field(default_factory=list)
    simulators: list[Simulator] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    @property
    def accounts_file(self) -> Path:
        """Where the accounts of the running measurement stand."""
        return self.directory / "accounts.toml"

    def simulate(self, *options: str) -> Simulator:
        """Start a simulator; it ends with the measurement."""
        simulator = Simulator.start(*options)
        self.simulators.append(simulator)
        return simulator

    def accounts(self, simulator: Simulator, tables: Mapping[str, Mapping[str, object]]) -> None:
        """Write the accounts file: every account has a sid of its own at the simulator."""
        lines: list[str] = []
        for name, table in tables.items():
            whole = {
                "gateway": "exotel-sms", "base_url": simulator.url, "sid": name, "api_key": "sim-key",
                "api_token": "sim-token", "timeout": 5.0,
            } | dict(table)  # fmt: skip
            lines += [f"[accounts.{name}]", *(f"{key} = {json.dumps(value)}" for key, value in whole.items())]
        self.accounts_file.write_text("\n".join(lines) + "\n", encoding="utf-8")

    def start_worker(self) -> Worker:
        """Start a worker and wait until it is ready."""
        log = self.directory / f"worker-{next(self._numbers)}.log"
        command = [sys.executable, "-m", "celery", "-A", "worker.app", "worker", "-n", f"{log.stem}@bench"]
        with log.open("wb") as stderr:
            process = subprocess.Popen(
                [*command, "--without-mingle"], cwd=ROOT, stderr=stderr, stdout=subprocess.DEVNULL
            )
        worker = Worker(process=process, log=log)
        self.workers.append(worker)
        wait_for(lambda: " ready." in log.read_text(encoding="utf-8") or None, f"{log.stem} is ready", READY_S)
        return worker

    def serving(self, account: str) -> Worker:
        """Return the worker that has the account's seat."""

        def look() -> Worker | None:
            seats: Any = self.client.zrange(keys.seats(AccountName(account)), 0, -1)
            pids = {int(seat.decode().split("-")[-2]) for seat in seats}
            return next((worker for worker in self.workers if worker.process.pid in pids), None)

        return wait_for(look, f"a worker serves {account}", READY_S)

    def enqueue(self, account: str, batches: int, body: str = BODIES["dynamic"]) -> CampaignId:
        """Queue a campaign of full batches, as `tasks.enqueue` does it for a script."""
        campaign = Campaign(name="bench", accounts=(account,), sender="EXOTEL", body=body)
        return CampaignId(enqueue(campaign, people(batches), id=f"bench-{next(self._numbers)}"))

    def standing(self, campaign: CampaignId) -> Standing:
        """Return where the campaign stands."""
        return standings(self.client, [campaign])[0]

    def finish(self, campaigns: Iterable[CampaignId], within_s: float) -> None:
        """Wait until the campaigns are finished; every message must be accepted."""
        for campaign in campaigns:
            self._finish(campaign, within_s)

    def _finish(self, campaign: CampaignId, within_s: float) -> None:
        def look() -> Standing | None:
            # One field only: this process must not be what the measured ones wait for.
            if self.client.hget(keys.campaign(campaign), "state") != b"finished":
                return None
            return self.standing(campaign)

        found = wait_for(look, f"{campaign} is finished", within_s)
        if found.accepted != found.queued:
            raise ProcessFailed(f"{campaign} was not accepted whole: {found.as_json()}")

    def events(self, name: str, campaign: CampaignId) -> int:
        """Return how often the workers' logs have the event for the campaign."""
        return sum(worker.events(name, campaign) for worker in self.workers)

    def log_tails(self) -> str:
        """Return the last lines of each worker's log."""
        logs = [(worker.log.name, worker.log.read_text(encoding="utf-8").splitlines()) for worker in self.workers]
        return "\n".join(line for name, lines in logs for line in (f"{name}:", *lines[-_TAIL_LINES:]))

    def cpu_s(self) -> float:
        """Return the CPU seconds of everything that belongs to the run."""
        used: Any = self.client.info("cpu")
        server = float(used["used_cpu_sys"]) + float(used["used_cpu_user"])
        live = [worker.process.pid for worker in self.workers] + [one.process.pid for one in self.simulators]
        return own_cpu_s() + server + sum(map(process_cpu_s, live))

    def neighbours(self) -> Neighbours:
        """Look from now on at what others use."""
        return Neighbours(self.cpu_s)

    def strike(self) -> None:
        """End the workers and simulators: the measurement is over."""
        for worker in self.workers:
            if worker.process.poll() is None:
                worker.stop()
        for simulator in self.simulators:
            simulator.process.terminate()
            simulator.process.communicate()
        self.workers.clear()
        self.simulators.clear()


@contextmanager
def opened(directory: Path) -> Iterator[Stage]:
    """Start the embedded Redis in the directory and make this process and its children use it."""
    with EmbeddedRedis(directory / "redis") as server:
        url = server.start()
        # Read by the settings of this process when it enqueues, and by the workers.
        os.environ.update(
            BULKSEND_REDIS_URL=url,
            BULKSEND_ACCOUNTS_FILE=str(directory / "accounts.toml"),
            BULKSEND_LOG_FORMAT="json",
            BULKSEND_LOG_LEVEL="INFO",
        )
        with connect(url) as client:
            # A rewrite of the log in the middle of a round would be taken for the worker's doing.
            client.config_set("auto-aof-rewrite-percentage", "0")
            stage = Stage(directory=directory, url=url, client=client)
            try:
                yield stage
            except ProcessFailed as error:
                raise ProcessFailed(f"{error}\n{stage.log_tails()}") from error
            finally:
                stage.strike()
