"""One production in a process of its own: `python -m scripts.bench.producing FILE ID BODY ACCOUNT`.

It queues the file as the command `enqueue` does, the campaign waiting for a word, and prints JSON: the seconds and CPU
seconds of the production, and the process's peak memory. `python -m scripts.bench.producing FILE` reads the file with
csv.reader and does nothing with it: the yardstick.
"""

import csv
import sys
import time
from pathlib import Path

import orjson

from config.settings import load_settings
from scripts.bench.memory import peak_bytes
from tasks import Campaign
from tasks.produce import enqueue_campaign
from worker.domain.ids import CampaignId
from worker.intake.readers import open_rows

HOLD = "measured"


def _read(path: str) -> None:
    with Path(path).open(encoding="utf-8", newline="") as file:
        for _ in csv.reader(file):
            pass


def _produce(path: str, campaign_id: str, body: str, account: str) -> None:
    campaign = Campaign(name="bench", accounts=(account,), sender="EXOTEL", body=body)
    with open_rows(path) as rows:
        enqueue_campaign(campaign, rows, CampaignId(campaign_id), load_settings(), hold=HOLD)


def main() -> None:
    """Produce or read, and print what it took."""
    path, *rest = sys.argv[1:]
    wall, cpu = time.perf_counter(), time.process_time()
    if rest:
        _produce(path, *rest)
    else:
        _read(path)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    print(orjson.dumps({"seconds": wall, "cpu_s": cpu, "peak_bytes": peak_bytes()}).decode())


if __name__ == "__main__":
    main()
