"""The bench: what its figures are made of, and one short run of it. No speed is asserted: that is its own job."""

import csv
import json
import os
import subprocess
import sys

import pytest

from scripts.bench import callbacks
from scripts.bench.figures import Figure, Spread, Target
from scripts.bench.machine import Neighbours
from scripts.bench.memory import peak_bytes
from scripts.bench.precision import Slots, lateness, used_share
from scripts.bench.processes import BODIES, Simulator, opened, people
from scripts.bench.recipients import BODY, COLUMNS, write_recipients
from scripts.bench.usual import URL_VARIABLE
from worker.gateways.reports import understand
from worker.intake.batches import prepare
from worker.intake.campaign import Campaign
from worker.intake.readers import open_rows


def _every(spacing_s, count, start=1_800_000_000.0):
    return [start + i * spacing_s for i in range(count)]


def test_even_calls_at_the_allowed_rate_use_all_of_it():
    assert used_share(_every(0.02, 500), 50, 1.0) == pytest.approx(1.0)


def test_the_first_second_does_not_count():
    slow_start = [1_799_999_999.0, *_every(0.02, 500)]
    assert used_share(slow_start, 50, 1.0) == pytest.approx(1.0)


def test_a_share_is_that_of_the_rate_not_of_the_count():
    assert used_share(_every(0.025, 500), 50, 1.0) == pytest.approx(0.8)


def test_slots_that_nobody_used_are_counted():
    at = _every(0.1, 10)
    del at[3:5]
    slots = Slots(at=tuple(at), spacing_s=0.1)
    assert slots.skipped == 2
    assert slots.late_share == pytest.approx(0, abs=1e-3)


def test_time_lost_by_asking_late_is_told_from_slots_lost():
    first, second = _every(0.1, 6), _every(0.1, 5, 1_800_000_000.55)
    slots = Slots(at=(*first, *second), spacing_s=0.1)
    assert slots.skipped == 0
    assert slots.late_share == pytest.approx(0.05 / 0.95, rel=1e-2)


def test_lateness_compares_each_call_with_its_own_slot():
    at = _every(0.1, 100)
    late = lateness(tuple(at), [each + 0.002 for each in at[:-1]] + [at[-1] + 0.05])
    assert late.median_ms == pytest.approx(2, abs=0.01)
    assert late.most_ms == pytest.approx(50, abs=0.01)


def _figure(**changes):
    values = {
        "measurement": "m", "what": "w", "ratio": Spread(rounds=(0.9, 0.98, 0.99)), "of": "x",
        "absolute": Spread(rounds=(1.0,)), "unit": "s", "target": Target(bound=0.97, is_floor=True), "facts": {},
        "others": None,
    } | changes  # fmt: skip
    return Figure(**values)


def test_the_median_decides_whether_a_target_is_met():
    assert _figure().met is True
    assert _figure(target=Target(bound=0.97, is_floor=False)).met is False
    assert _figure(target=None).met is None


def test_a_refused_call_misses_any_target():
    assert _figure(refused=1).met is False


def test_a_spread_shows_least_and_most_only_where_there_are_several_rounds():
    assert Spread(rounds=(3.0, 1.0, 2.0)).text(1) == "2.0 (1.0-3.0)"
    assert Spread(rounds=(1234.5,)).text(0) == "1,234"


def test_neighbours_are_not_blamed_for_what_is_ours():
    used = iter([0.0, 1e9])
    assert Neighbours(lambda: next(used)).cores() in {0.0, None}


def test_made_up_recipients_are_all_valid_and_nobody_is_there_twice(tmp_path):
    path = tmp_path / "recipients.csv"
    write_recipients(path, 2_000)
    campaign = Campaign(name="bench", accounts=("bench",), sender="EXOTEL", body=BODY)
    with open_rows(path) as rows:
        prepared = list(prepare(rows, campaign))
    assert [len(each.content.rows) for each in prepared] == [100] * 20
    assert sum(each.invalid + each.duplicate for each in prepared) == 0


def test_made_up_recipients_are_the_same_each_time_and_do_not_repeat_their_names(tmp_path):
    paths = [tmp_path / "first.csv", tmp_path / "second.csv"]
    for path in paths:
        write_recipients(path, 500)
    first, second = (path.read_text(encoding="utf-8") for path in paths)
    assert first == second
    header, *rows = csv.reader(first.splitlines())
    assert tuple(header) == COLUMNS
    assert len({row[1] for row in rows}) > 490


def test_every_report_of_the_bench_is_of_another_message_and_readable():
    requests = [callbacks._request("http://127.0.0.1:1", "bench", message) for message in (0, 99, 100)]
    reports = [understand(request.partition(b"\r\n\r\n")[2]).reports[0] for request in requests]
    assert len({report.gateway_id for report in reports}) == 3
    assert [report.reference for report in reports] == ["bench:1", "bench:1", "bench:2"]


@pytest.mark.system
def test_all_that_the_bench_posts_is_received_and_counts_once(tmp_path, monkeypatch):
    for name in ("REDIS_URL", "ACCOUNTS_FILE", "LOG_FORMAT", "LOG_LEVEL"):  # the bench sets them, this takes them back
        monkeypatch.setenv(f"BULKSEND_{name}", "")
    with opened(tmp_path) as stage:
        stage.accounts(stage.simulate(), {callbacks._SENT_BY: {"requests": "1000/second", "concurrency": 8}})
        stage.start_worker()
        sent = stage.enqueue(callbacks._SENT_BY, 2)
        stage.finish([sent], 30)
        found = callbacks._run(stage, sent, 200)
        assert (len(found.took_ms), found.refused, found.received) == (220, 0, 220)
        assert stage.standing(sent).delivered == 200


def test_the_peak_of_memory_grows_with_what_is_held_and_stays():
    before = peak_bytes()
    held = bytearray(b"x") * (peak_bytes() + 50_000_000)
    grown = peak_bytes()
    del held
    assert grown > before + 40_000_000
    assert peak_bytes() > grown - 5_000_000  # the kernel counts in lots


@pytest.fixture
def simulator():
    simulator = Simulator.start()
    yield simulator
    simulator.process.terminate()
    simulator.process.communicate()


@pytest.mark.system
def test_the_usual_ways_send_the_same_messages_as_ours(simulator, monkeypatch):
    monkeypatch.setenv(URL_VARIABLE, f"{simulator.url}/v1/Accounts/usual/Sms")
    from scripts.bench.usual.tasks import send_batch, send_single

    rows = list(people(1))
    entries = send_batch(rows)
    assert len({entry["sid"] for entry in entries}) == 100
    assert {entry["status"] for entry in entries} == {"queued"}
    (entry,) = send_single(rows[0])
    assert entry["status"] == "queued"
    assert int(entry["code"]) == int(entries[0]["code"])
    stats = simulator.stats()
    assert (stats["requests"], stats["accepted"], stats["distinct"]) == (2, 101, 100)
    assert BODIES["dynamic"] == BODY


@pytest.mark.system
def test_the_help_tells_how_long_each_measurement_takes():
    command = [sys.executable, "-m", "scripts.bench", "--help"]
    environ = os.environ | {"COLUMNS": "200", "NO_COLOR": "1"}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environ)
    words = " ".join(done.stdout.replace("│", " ").split())
    names = ("send 2", "usual 4", "produce 1", "growth 4", "lanes 3", "reaction 1", "callbacks 4", "suppression 2")
    for name in (*names, "throttle 12"):
        assert name in words


@pytest.mark.system
@pytest.mark.timeout(120)
def test_a_quick_run_prints_its_table_and_writes_the_same_as_json(tmp_path):
    into = tmp_path / "bench.json"
    command = [sys.executable, "-m", "scripts.bench", "send", "--quick", "--json", str(into)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    document = json.loads(into.read_text())
    assert [figure["what"] for figure in document["figures"]] == [
        "static, 64 at once",
        "dynamic, 64 at once",
        "dynamic, 8 at once",
        "dynamic, 64 at once, 50 ms",
        "dynamic, 64 at once, two workers",
        "dynamic, 64 at once, 50 ms, two workers",
    ]
    assert all(figure["ratio"]["median"] > 0 for figure in document["figures"])
    assert {"cores", "python", "load", "versions"} <= document["machine"].keys()
    assert "dynamic, 8 at once" in done.stdout
