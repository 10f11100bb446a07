"""demo: `run` on a made-up campaign against the bundled simulator, with some trouble on the way.

No account, no file, no network beyond this machine; each demo has an account and a campaign of its own, so that it can
be repeated, and stopped, at will.
"""

import csv
import json
import os
import secrets
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer

from config.logging import configure_logging
from config.settings import load_settings
from scripts.cli import leash
from scripts.cli.failed import CommandFailed
from scripts.cli.ledger import DEFAULT_DATA, Ledger, open_ledger
from scripts.cli.options import DataOrDefault, Json
from scripts.cli.output import emit
from scripts.cli.sending import Job, Stuck, check_credentials, work_off
from scripts.cli.terminated import terminable
from scripts.cli.words import counted, counts, summary, tell
from worker.domain.ids import CampaignId
from worker.intake.campaign import Campaign
from worker.intake.campaign_file import load_campaign
from worker.ledger import operating
from worker.ledger.reading import ENDED, Standing, standings

CALLS_A_SECOND = 20

# Where trouble strikes: the numbers of the requests that meet it, and the numbers that the "operator" refuses.
TROUBLE = ("--fault", "429#3", "--fault", "503#7", "--reject", "77=23010", "--retry-after", "1")

_CAMPAIGN = """\
name = "demo"
accounts = ["{account}"]
recipients = "recipients.csv"
to = "phone"
from = "EXOSIM"
body = "Dear {{name}}, order {{order_id}} is on its way."
"""

_ACCOUNTS = """\
[accounts.{account}]
gateway = "exotel-sms"
base_url = "{url}"
sid = "sim"
api_key = "sim-key"
api_token = "sim-token"
requests = "{calls}/second"
"""


@terminable()
def demo(
    *,
    recipients: Annotated[
        int, typer.Option("--recipients", metavar="N", min=1, max=90_000, help="How many people to make up.")
    ] = 1050,
    data: DataOrDefault = None,
    as_json: Json = False,
) -> None:
    """Send a made-up campaign to a simulator of the gateway, which throttles, fails and refuses now and then."""
    configure_logging(load_settings())
    with tempfile.TemporaryDirectory(prefix="bulksend-demo-") as name, _simulator() as url:
        directory = Path(name)
        campaign = _write_files(directory, recipients, url)
        os.environ["BULKSEND_ACCOUNTS_FILE"] = str(directory / "accounts.toml")
        longest_call_s = check_credentials(campaign, load_settings())
        campaign_id = CampaignId(f"demo-{secrets.token_hex(3)}")
        job = Job(campaign=campaign, campaign_id=campaign_id, recipients=None, patience_s=10.0, again=())
        with open_ledger(data, default=DEFAULT_DATA) as ledger:
            people = counted(recipients, "made-up person", "made-up people")
            tell(f"a message for {people} goes to a simulator that takes {CALLS_A_SECOND} calls/s")
            try:
                standing = work_off(ledger, job, longest_call_s, as_json=as_json)
            except Stuck as stuck:
                raise CommandFailed(f"the demo is stuck: {stuck}") from None
            finally:
                _leave_nothing(ledger, campaign_id)
            seen = _ask(url)
            emit(standing.as_json() | {"simulator": seen}, _lines(ledger, standing, seen), as_json=as_json)
        if seen["duplicates"] or seen["distinct"] != standing.accepted:
            raise CommandFailed("the simulator's record is another than ours: this should never be")


@contextmanager
def _simulator() -> Iterator[str]:
    """Run the simulator as a process and give its URL."""
    arguments = ["--port", "0", "--json", "--limit", f"{CALLS_A_SECOND}/1s", "--latency", "40", *TROUBLE]
    with leash.start("scripts.cli", ["simulator", *arguments], stdout=subprocess.PIPE, stderr=None) as process:
        try:
            first = process.stdout.readline() if process.stdout else b""
            if not first:
                raise CommandFailed("the simulator did not start")
            yield json.loads(first)["listening"]
        finally:
            process.terminate()


def _write_files(directory: Path, count: int, url: str) -> Campaign:
    """Write recipients, accounts and campaign; the account's name is new each time, as the simulator is."""
    account = f"demo-{secrets.token_hex(3)}"
    accounts = _ACCOUNTS.format(account=account, url=url, calls=CALLS_A_SECOND)
    (directory / "accounts.toml").write_text(accounts, encoding="utf-8")
    (directory / "campaign.toml").write_text(_CAMPAIGN.format(account=account), encoding="utf-8")
    with (directory / "recipients.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("phone", "name", "order_id"), *_people(count)])
    return load_campaign(directory / "campaign.toml")


def _people(count: int) -> Iterator[tuple[str, str, str]]:
    """Give people with numbers that nobody has; every 250th row is invalid, and every 300th a duplicate."""
    for index in range(1, count + 1):
        number = f"+9190000{index:05}"
        if index % 250 == 0:
            number = "not a number"
        elif index % 300 == 0:
            number = f"090000 {index - 1:05}"
        yield number, f"Person {index}", f"A-{index}"


def _leave_nothing(ledger: Ledger, campaign_id: CampaignId) -> None:
    """Cancel a demo that did not end: its simulator is gone, and nobody could go on with it."""
    found = standings(ledger.client, [campaign_id])
    if found and found[0].state not in ENDED:
        operating.cancel(ledger.client, campaign_id, "the demo was stopped")


def _ask(url: str) -> dict[str, Any]:
    stats: dict[str, Any] = httpx.get(f"{url}/_sim/stats", trust_env=False).json()
    return stats


def _lines(ledger: Ledger, standing: Standing, seen: dict[str, Any]) -> Iterator[str]:
    yield from summary(standing)
    made, people = counted(seen["accepted"], "message"), counted(seen["distinct"], "person", "different people")
    refused = seen["by_status"].get("429", 0) + seen["by_status"].get("503", 0)
    yield ""
    yield "What this showed, by the simulator's own record:"
    yield f"- {made} taken, for {people}: nobody got it twice."
    if standing.rejected:
        yield f"- {standing.rejected:,} refused by the operator, with the code of each."
    if standing.invalid or standing.duplicate:
        yield f"- {' and '.join(counts(standing, ('invalid', 'duplicate')))} never went out."
    if refused:
        requests = counted(seen["requests"], "call")
        yield f"- Of {requests} {refused} got 429 or 503: the batch went back, the account slowed."
    yield f"- At most {counted(seen['worst_window'], 'call')} in any second, where {CALLS_A_SECOND} are allowed."
    yield ""
    yield f"Each recipient: {ledger.command('report', standing.id)}"
    yield f"The books:      {ledger.command('audit', standing.id)}"
