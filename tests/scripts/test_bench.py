"""The bench: what its figures are made of, and one short run of it. No speed is asserted: that is its own job."""

import json
import subprocess
import sys

import pytest

from scripts.bench.figures import Figure, Spread, Target
from scripts.bench.machine import Neighbours
from scripts.bench.precision import Slots, lateness, used_share


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
    ]
    assert all(figure["ratio"]["median"] > 0 for figure in document["figures"])
    assert {"cores", "python", "load", "versions"} <= document["machine"].keys()
    assert "dynamic, 8 at once" in done.stdout
