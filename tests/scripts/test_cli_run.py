"""run and demo with real processes: the worker, the simulator, and what interrupts them."""

import csv
import itertools
import json
import signal
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from worker.ledger import keys

pytestmark = pytest.mark.system


def _people(count):
    return "phone,name\n" + "".join(f"+9190000{number:05},P{number}\n" for number in range(1, count + 1))


def _slow(cli, rate):
    path = cli.directory / "accounts.toml"
    path.write_text(path.read_text().replace("50/second", rate))


def _until(condition, seconds=20.0):
    give_up_at = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < give_up_at, "it did not come about"
        time.sleep(0.05)
    return found


def _standing(cli, campaign_id):
    listed = cli("list", "--json").json
    return next((each for each in listed if each["id"] == campaign_id), {"accepted": 0})


def _is_worker(child):
    try:
        return "worker" in child.cmdline()
    except psutil.Error:  # it is dead, and its parent has not looked yet
        return False


def _worker_of(process, *, but=0):
    """The worker that a run has started, once it has."""

    def find():
        children = psutil.Process(process.pid).children()
        return next((child for child in children if child.pid != but and _is_worker(child)), None)

    return _until(find)


@contextmanager
def _lasting(cli, **settings):
    """A run of campaign x1 that lasts, because its account is held, and its worker."""
    cli("account", "hold", "main", "--why", "so that the campaign lasts")
    with cli.start("run", "offer.toml", "--id", "x1", "--json", **settings) as process:
        worker = _worker_of(process)
        _until(lambda: _standing(cli, "x1").get("state") == "running")
        yield process, worker


def _waits_for(process, number):
    """Whether a suspended process was sent a signal that it will get when it goes on (Linux)."""
    lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
    pending = next(line.split()[1] for line in lines if line.startswith("ShdPnd:"))
    return bool(int(pending, 16) >> (number - 1) & 1)


def test_run_sends_reports_and_ends_with_0(cli, simulator):
    _, stats = simulator("--reject", "7=23010")
    cli.write("people.csv", _people(250) + "nobody,X\n+919000000001,Y\n")
    ended = cli.process("run", "offer.toml", "--id", "x1", "--report", "out.csv", "--json")
    assert ended.code == 0, ended.err
    standing = ended.json
    assert (standing["state"], standing["accepted"], standing["rejected"]) == ("finished", 225, 25)
    assert (standing["invalid"], standing["duplicate"], standing["calls"]) == (1, 1, 3)
    assert standing["codes"] == {"23010 FAILED_INVALID_DESTINATION_NUMBER": 25}
    with (cli.directory / "out.csv").open(newline="") as file:
        lines = list(csv.DictReader(file))
    assert [line["row"] for line in lines] == [str(row) for row in range(1, 253)]
    assert (lines[6]["outcome"], lines[6]["code"]) == ("rejected", "23010")
    assert cli("audit", "x1").code == 0
    assert (stats()["accepted"], stats()["duplicates"]) == (225, 0)
    again = cli.process("run", "offer.toml", "--id", "x1", "--json")
    assert (again.code, again.json, stats()["requests"]) == (0, standing, 3)


def test_interrupted_it_prints_the_command_that_goes_on_and_messages_nobody_twice(cli, simulator):
    _, stats = simulator()
    _slow(cli, "3/second")
    cli.write("people.csv", _people(500))
    options = ["--report", "the report.csv", "--recipients", "people.csv"]
    with cli.start("run", "offer.toml", "--id", "x1", *options) as process:
        _until(lambda: _standing(cli, "x1")["accepted"])
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=20)
    assert process.returncode == 130
    command = next(line.strip() for line in err.splitlines() if "run offer.toml" in line)
    assert command.endswith("run offer.toml --id x1 --recipients people.csv --report 'the report.csv'")
    standing = _standing(cli, "x1")
    assert (standing["state"], standing["in_flight"], standing["unconfirmed"]) == ("running", 0, 0)
    assert standing["pending"] > 0
    done = subprocess.run(command, shell=True, cwd=cli.directory, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (_standing(cli, "x1")["state"], stats()["accepted"], stats()["distinct"]) == ("finished", 500, 500)
    assert (cli.directory / "the report.csv").read_text().count("\n") == 501


def test_sigterm_stops_it_as_cleanly(cli, simulator):
    simulator()
    with _lasting(cli) as (process, worker):
        process.terminate()
        out, err = process.communicate(timeout=20)
    assert (process.returncode, worker.is_running()) == (143, False)
    document = json.loads(out)
    assert (document["id"], document["pending"]) == ("x1", 3)
    assert document["go_on"] in err


@pytest.mark.parametrize(
    ("number", "status"),
    [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)],
    ids=str,
)
def test_ended_while_its_worker_stops_it_has_said_where_the_campaign_stands(cli, simulator, number, status):
    simulator()
    with _lasting(cli) as (process, worker):
        worker.suspend()
        cli("cancel", "x1")
        _until(lambda: _waits_for(worker, signal.SIGTERM))
        process.send_signal(number)
        said = list(itertools.takewhile(lambda line: not line.startswith("interrupted; "), process.stderr))
        command = process.stderr.readline().strip()
        worker.resume()
        out, _ = process.communicate(timeout=20)
    assert (process.returncode, worker.is_running()) == (status, False), said
    document = json.loads(out)
    assert (document["state"], document["cancelled"], document["go_on"]) == ("cancelled", 3, command)


def test_under_nohup_the_end_of_its_terminal_does_not_end_it(cli, simulator):
    simulator()
    with _lasting(cli, preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN)) as (process, _):
        process.send_signal(signal.SIGHUP)
        cli("account", "open", "main")
        out, err = process.communicate(timeout=20)
    assert (process.returncode, json.loads(out)["state"]) == (0, "finished"), err


def test_enqueue_interrupted_tells_the_new_id_in_a_command_that_goes_on(cli):
    given = ("--recipients", "-", "--hold", "--watch", "--json")
    with cli.start("enqueue", "offer.toml", *given, stdin=subprocess.PIPE) as process:
        process.stdin.write("phone,name\n+919000000001,Asha\n")
        process.stdin.flush()
        (campaign_id,) = _until(lambda: [each["id"] for each in cli("list", "--json").json])
        process.terminate()
        out, err = process.communicate(timeout=20)
    assert (process.returncode, json.loads(out)["state"]) == (143, "producing"), err
    command = json.loads(out)["go_on"]
    assert command.endswith(f" enqueue offer.toml --id {campaign_id} --recipients - --hold --watch --json")
    assert f"{command}\n(with the same recipients on standard input)\n" in err


def test_a_file_that_begins_with_a_dash_is_printed_so_that_the_command_works(cli, simulator):
    simulator()
    cli("account", "hold", "main", "--why", "no balance")
    (cli.directory / "offer.toml").rename(cli.directory / "-odd.toml")
    stuck = cli.process("run", "--id", "x1", "--patience", "0", "--", "-odd.toml")
    command = next(line for line in stuck.err.splitlines() if " run " in line)
    cli("account", "open", "main")
    done = subprocess.run(command, shell=True, cwd=cli.directory, capture_output=True, text=True, check=False)
    assert (done.returncode, "x1: finished" in done.stdout) == (0, True), done.stderr


def test_watch_interrupted_says_where_the_campaign_stands(cli):
    cli("enqueue", "offer.toml", "--id", "x1", "--hold")
    with cli.start("watch", "x1", "--json") as process:
        process.stderr.readline()
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=20)
    assert process.returncode == 130
    assert (json.loads(out)["state"], json.loads(out)["pending"]) == ("paused", 3)
    assert json.loads(out)["go_on"].endswith(" watch x1 --json")


def test_killed_it_takes_its_worker_along_and_can_go_on(cli, simulator):
    _, stats = simulator()
    _slow(cli, "4/second")
    cli.write("people.csv", _people(400))
    with cli.start("run", "offer.toml", "--id", "x1", "--data", "data") as process:
        worker = _worker_of(process)
        _until(lambda: stats()["requests"])
        process.kill()
        process.communicate()
    _until(lambda: not worker.is_running() or worker.status() == psutil.STATUS_ZOMBIE)
    ended = cli.process("run", "offer.toml", "--id", "x1", "--data", "data", "--json")
    assert (ended.code, ended.json["state"], ended.json["accepted"]) == (0, "finished", 400)
    assert (stats()["accepted"], stats()["duplicates"]) == (400, 0)


def test_a_worker_that_dies_is_started_again(cli, simulator):
    simulator()
    _slow(cli, "4/second")
    cli.write("people.csv", _people(300))
    with cli.start("run", "offer.toml", "--id", "x1", "--json") as process:
        worker = _worker_of(process)
        _until(lambda: _standing(cli, "x1").get("state") == "running")
        worker.kill()
        out, err = process.communicate(timeout=40)
    assert process.returncode == 0, err
    assert '"state": "finished"' in out


def test_a_worker_that_always_dies_ends_the_run_with_the_end_of_its_log(cli, simulator):
    simulator()
    cli("account", "hold", "main", "--why", "so that the campaign lasts")
    with cli.start("run", "offer.toml", "--id", "x1") as process:
        last = 0
        for _ in range(4):
            worker = _worker_of(process, but=last)
            last = worker.pid
            worker.kill()
        _, err = process.communicate(timeout=20)
    assert process.returncode == 1
    assert "the worker died 4 times; the end of its log:" in err


def test_it_gives_up_on_a_held_account_and_says_what_to_do(cli, simulator):
    _, stats = simulator()
    cli("account", "hold", "main", "--why", "no balance")
    ended = cli.process("run", "offer.toml", "--id", "x1", "--patience", "0.5", "--json")
    assert (ended.code, ended.json["state"], ended.json["pending"]) == (1, "running", 3)
    assert "account main is held" in ended.err
    assert "no balance" in ended.err
    commands = [line.split("scripts.cli ")[1] for line in ended.err.splitlines() if "scripts.cli " in line]
    again = "run offer.toml --id x1 --patience 0.5 --json"
    assert commands == [again, "account open main", again]
    assert stats()["requests"] == 0


def test_it_gives_up_on_a_paused_campaign_and_goes_on_when_it_is_resumed(cli, simulator):
    simulator()
    cli("enqueue", "offer.toml", "--id", "x1", "--hold")
    ended = cli.process("run", "offer.toml", "--id", "x1", "--patience", "0")
    assert (ended.code, "x1 is paused: by " in ended.err, " resume x1" in ended.err) == (1, True, True)
    cli("resume", "x1")
    ended = cli.process("run", "offer.toml", "--id", "x1", "--json")
    assert (ended.code, ended.json["state"]) == (0, "finished")


def test_what_a_dead_worker_complained_of_is_not_held_against_a_new_one(cli, simulator):
    simulator()
    seconds, _ = cli.client.time()
    cli.client.zadd(keys.WORKERS, {"dead": (seconds + 60) * 1_000_000})
    cli.client.hset(keys.problems("main"), "dead", "api_key needs the environment variable KEY")
    ended = cli.process("run", "offer.toml", "--id", "x1", "--patience", "0", "--json")
    assert (ended.code, ended.json["state"], ended.json["accepted"]) == (0, "finished", 3), ended.err


def test_a_campaign_that_is_cancelled_ends_at_once_with_1(cli, simulator):
    simulator()
    _slow(cli, "1/minute")
    cli.write("people.csv", _people(300))
    with cli.start("run", "offer.toml", "--id", "x1", "--json") as process:
        _until(lambda: _standing(cli, "x1").get("state") == "running")
        assert cli("cancel", "x1").code == 0
        out, err = process.communicate(timeout=20)
    assert process.returncode == 1, err
    assert '"state": "cancelled"' in out


def test_enqueue_with_watch_follows_to_the_end(cli, simulator):
    simulator()
    with cli.start("worker", "--json", "--", "--without-mingle", "--hostname", "w1@test") as worker:
        ended = cli.process("enqueue", "offer.toml", "--watch", "--json")
        assert (ended.code, ended.json["state"], ended.json["accepted"]) == (0, "finished", 3)
        worker.send_signal(signal.SIGTERM)
        out, err = worker.communicate(timeout=20)
    assert (worker.returncode, out) == (0, f'{{"pid": {worker.pid}}}\n'), err


def test_demo_needs_nothing_and_can_be_repeated(cli, monkeypatch):
    monkeypatch.delenv("BULKSEND_REDIS_URL")
    monkeypatch.delenv("BULKSEND_ACCOUNTS_FILE")
    for _ in range(2):
        ended = cli.process("demo", "--recipients", "300", "--json")
        assert ended.code == 0, ended.err
        assert ended.json["state"] == "finished"
        assert ended.json["simulator"]["duplicates"] == 0
        assert ended.json["simulator"]["distinct"] == ended.json["accepted"]
        assert ended.json["throttled"] >= 1
        assert ended.json["rejected"] > 0
        assert ended.json["simulator"]["worst_window"] <= 20
    assert len(cli.process("list", "--data", ".bulksend", "--json").json) == 2


def test_a_demo_of_a_few_tells_nothing_that_did_not_happen(cli):
    ended = cli.process("demo", "--recipients", "10", "--data", "data")
    assert ended.code == 0, ended.err
    showed = ended.out.partition("simulator's own record:\n")[2].partition("\n\n")[0]
    assert showed.splitlines() == [
        "- 10 messages taken, for 10 different people: nobody got it twice.",
        "- At most 1 call in any second, where 20 are allowed.",
    ]
