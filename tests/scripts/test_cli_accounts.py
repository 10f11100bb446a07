"""What `accounts` shows of a lane: the ceiling that holds, files that disagree, and when a hold is tried again."""

from datetime import UTC, datetime

import pytest

from worker.domain.throttle import spacing_us

JITTER_S = 0.01


def line(per_second, *, messages=0.0, concurrency=8):
    return f"{spacing_us(per_second, 1.0, JITTER_S):.3f} {messages:.3f} {concurrency}"


def workers(cli, *lines):
    """Live workers whose accounts files say this of the account, and a dead one that said something else."""
    later = (cli.client.time()[0] + 600) * 1_000_000
    cli.client.hset(
        "bs:lane:main:ceilings", mapping={f"w{n}": each for n, each in enumerate(lines)} | {"dead": line(1)}
    )
    cli.client.zadd("bs:workers", {f"w{n}": later for n in range(len(lines))} | {"dead": 1})


@pytest.mark.parametrize(
    ("lines", "ceiling", "reason"),
    [
        ([], 50.0, None),
        ([line(50), line(50)], 50.0, None),
        ([line(50), line(20)], 20.0, "the workers' accounts files disagree: the lowest ceiling holds"),
        ([line(50), line(80)], 50.0, "the workers' accounts files disagree: the lowest ceiling holds"),
        ([line(50), line(50, concurrency=4)], 50.0, "the workers' accounts files disagree: the lowest ceiling holds"),
        ([line(80)], 80.0, "the workers' accounts file is not this one: its ceiling holds"),
    ],
)
def test_the_lowest_ceiling_of_live_workers_is_shown_and_whether_they_agree(cli, lines, ceiling, reason):
    workers(cli, *lines)
    (account,) = cli("accounts", "--json").json
    assert (account["ceiling"], account["rate"], account["reason"]) == (ceiling, ceiling, reason)


def test_why_it_is_held_stands_before_the_disagreement(cli):
    workers(cli, line(50), line(20))
    cli.client.hset("bs:lane:main", mapping={"state": "held", "reason": "no balance", "probe_at": 0})
    (account,) = cli("accounts", "--json").json
    assert account["reason"] == "no balance; the workers' accounts files disagree: the lowest ceiling holds"
    assert account["probe_at"] is None


def test_a_held_account_says_when_it_is_tried_again(cli):
    at = datetime(2026, 11, 22, 4, 35, tzinfo=UTC)
    fields = {"state": "held", "reason": "no balance", "probe_us": 600_000_000, "probe_at": int(at.timestamp() * 1e6)}
    cli.client.hset("bs:lane:main", mapping=fields)
    (account,) = cli("accounts", "--json").json
    assert (account["state"], account["reason"]) == ("held", "no balance; tried again at 04:35 UTC")
    assert account["probe_at"] == "2026-11-22T04:35:00+00:00"
    cli("enqueue", "offer.toml", "--id", "x1")
    assert cli("status", "x1", "--json").json["reason"] == "account main is held: no balance; tried again at 04:35 UTC"
    assert cli("account", "open", "main", "--json").json["probe_at"] is None
