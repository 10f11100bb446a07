"""Asking about accepted messages that await a report: against a real server, with pauses that the test owns."""

import asyncio
import json
from functools import cache

import pytest

from config.errors import ConfigError
from worker.asking import new_client
from worker.domain.delivery import DeliveryReport
from worker.gateways.exotel_access import access
from worker.ledger.record import ReportRow
from worker.refreshing import MOST_UNREADABLE, STRETCH, Asker, Awaiting, Refreshed, awaiting, refresh

KEY, TOKEN = "k3yk3yk3y", "t0kent0ken"
SENT = {"Status": "sent", "DetailedStatusCode": "20005"}
BUSY = (429, {}, b'{"RestException":{"Status":429,"Code":40403,"Message":"Too many GET requests."}}')
AWAY = (429, {"Retry-After": "7"}, b"")
DENIED = (401, {}, b'{"RestException":{"Status":401,"Code":34010,"Message":"Unauthorized;"}}')


class Walk:
    """The walk over messages of some accounts, all at one informant; it notes pauses and what was applied."""

    def __init__(self, informant):
        self.informant = informant
        self.pauses = []
        self.applied = []

    async def rest(self, seconds):
        self.pauses.append(seconds)

    def __call__(self, *sids, account="main", **options):
        return self.of([Awaiting(account=account, gateway_id=sid, reference="c:1") for sid in sids], **options)

    def of(self, wanted, **options):
        return asyncio.run(self._walk(wanted, **options))

    async def _walk(self, wanted, **options):
        async with new_client() as client:

            @cache
            def asker_for(account):
                if account == "gone":
                    raise ConfigError("there is no account gone")
                way = access(self.informant.url, account, KEY, TOKEN)
                return Asker(way, client, timeout_s=5.0, per_second=1e6, sleep=self.rest)

            return await refresh(wanted, asker_for, self.apply, **options)

    def apply(self, account, reports):
        self.applied.append((account, sorted(report.gateway_id for report in reports)))


@pytest.fixture
def walk(informant):
    return Walk(informant)


def row(**fields):
    given = dict.fromkeys(ReportRow._fields) | {"row": 1, "to": "+919000000001", "attempts": 1} | fields
    return ReportRow(**given)


def test_only_accepted_messages_that_await_a_report_and_have_an_id_are_asked_about():
    good = {"outcome": "accepted", "delivery": "awaiting", "account": "main", "gateway_id": "s1", "batch": 7}
    rows = [
        row(**good),
        row(**{**good, "delivery": "delivered"}),
        row(**{**good, "delivery": "undelivered"}),
        row(**{**good, "gateway_id": None}),
        row(outcome="unconfirmed", account="main"),
        row(outcome="rejected", account="main"),
        row(**{**good, "account": "other", "gateway_id": "s2"}),
    ]
    assert list(awaiting("c", rows)) == [
        Awaiting(account="main", gateway_id="s1", reference="c:7"),
        Awaiting(account="other", gateway_id="s2", reference="c:7"),
    ]


def test_each_answer_is_counted_and_reports_are_handed_on(walk, informant):
    informant.knows("a", SENT)
    informant.knows("b", {"Status": "failed", "DetailedStatusCode": "23010"})
    informant.knows("c", {"Status": "submitted", "DetailedStatusCode": "21020"})
    informant.knows("e", (502, {}, b"<html>"))
    assert walk("a", "b", "c", "d", "e") == Refreshed(asked=5, reported=2, underway=1, unknown=1, unreadable=1)
    assert walk.applied == [("main", ["a", "b"])]
    assert sorted(informant.asked) == ["a", "b", "c", "d", "e"]
    assert {line.split("/")[4] for line, _ in informant.requests} == {"SMS"}


def test_reports_are_handed_on_by_account_a_stretch_at_a_time(walk, informant):
    wanted = [
        Awaiting(account=name, gateway_id=f"{name}{n}", reference="c:1") for n in range(STRETCH) for name in ("x", "y")
    ]
    for each in wanted:
        informant.knows(each.gateway_id, SENT)
    assert walk.of(wanted).reported == 2 * STRETCH
    assert [(account, len(sids)) for account, sids in walk.applied] == [("x", 50), ("y", 50), ("x", 50), ("y", 50)]
    assert {sid for _, sids in walk.applied for sid in sids} == {each.gateway_id for each in wanted}


def test_no_more_are_asked_than_the_limit_and_no_more_are_read(walk, informant):
    def endless():
        for n in range(1000):
            yield Awaiting(account="main", gateway_id=f"s{n}", reference="c:1")

    wanted = endless()
    assert walk.of(wanted, limit=3) == Refreshed(asked=3, unknown=3)
    assert next(wanted).gateway_id == "s3"


def test_a_throttled_question_waits_as_long_as_the_gateway_asks_and_is_asked_again(walk, informant):
    informant.knows("a", AWAY, SENT)
    assert walk("a") == Refreshed(asked=1, reported=1)
    assert walk.pauses == [7.0]
    assert informant.asked == ["a", "a"]


def test_pauses_double_until_an_answer_comes(walk, informant):
    informant.knows("a", BUSY, BUSY, BUSY, SENT)
    walk("a")
    assert walk.pauses == [1.0, 2.0, 4.0]
    informant.knows("b", BUSY, SENT)
    walk("b")
    assert walk.pauses == [1.0, 2.0, 4.0, 1.0]


def test_an_account_that_never_ceases_to_refuse_ends_the_asking(walk, informant):
    informant.knows("a", BUSY)
    informant.knows("b", SENT)
    refreshed = walk("a")
    assert refreshed.asked == 0
    assert refreshed.stopped.startswith(
        "account main: it wants to be left alone for 1,024 s: too many calls (429/40403)"
    )
    assert walk.pauses == [2.0**n for n in range(10)]


def test_a_gateway_that_asks_for_too_long_a_pause_is_not_waited_for(walk, informant):
    informant.knows("a", (429, {"Retry-After": "3600"}, b""))
    assert walk("a").stopped == "account main: it wants to be left alone for 3,600 s: too many calls (429)"
    assert walk.pauses == []


def test_one_pause_is_made_for_all_that_were_refused_together(walk, informant):
    sids = [f"s{n}" for n in range(40)]
    for sid in sids:
        informant.knows(sid, SENT)
    for sid in sids[:1]:
        informant.knows(sid, AWAY, SENT)
    assert walk(*sids) == Refreshed(asked=40, reported=40)
    assert walk.pauses == [7.0]
    assert len(informant.asked) == 41


def test_a_refusal_of_the_account_ends_the_asking_and_what_was_learned_is_kept(walk, informant):
    wanted = [*(f"s{n}" for n in range(STRETCH)), "denied", *(f"t{n}" for n in range(3 * STRETCH))]
    for sid in wanted:
        informant.knows(sid, SENT)
    informant.knows("denied", DENIED)
    refreshed = walk(*wanted)
    assert refreshed.stopped == (
        "account main: Exotel refused the credentials (401/34010): check api_key and api_token of the account; "
        "Exotel says: Unauthorized;"
    )
    assert STRETCH <= refreshed.reported <= refreshed.asked < 2 * STRETCH
    assert sum(len(sids) for _, sids in walk.applied) == refreshed.reported
    assert not {"t250"} & set(informant.asked)


def test_a_gateway_that_fails_all_the_time_is_not_asked_for_ever(walk, informant):
    sids = [f"s{n}" for n in range(3 * STRETCH)]
    for sid in sids:
        informant.knows(sid, (502, {}, b""))
    refreshed = walk(*sids)
    assert refreshed.stopped == (
        f"account main: {MOST_UNREADABLE} questions in a row had no usable answer, the last: Exotel failed (502)"
    )
    assert MOST_UNREADABLE <= refreshed.unreadable < STRETCH


def test_an_account_that_can_not_be_asked_leaves_nothing_half_done(walk):
    wanted = [
        Awaiting(account="main", gateway_id="a", reference="c:1"),
        Awaiting(account="gone", gateway_id="b", reference="c:1"),
    ]
    with pytest.raises(ConfigError):
        walk.of(wanted)
    assert walk.informant.asked == []


def test_the_pace_is_a_question_each_fifth_of_a_second():
    asker = Asker(access("http://127.0.0.1:9", "a", KEY, TOKEN), new_client(), timeout_s=1.0)
    assert (asker._limiter.max_rate, asker._limiter.time_period) == (1, 0.2)


def test_neither_asker_nor_reports_show_credentials_or_numbers():
    asker = Asker(access("http://127.0.0.1:9", "a", KEY, TOKEN), new_client(), timeout_s=1.0)
    assert KEY not in repr(asker)
    assert "9000000001" not in repr(DeliveryReport(state="sent", to="09000000001"))


@pytest.fixture
def sent(cli, simulator):
    """A campaign of three accepted messages, whose account then names the informant."""
    simulator()
    assert cli.process("run", "offer.toml", "--id", "c1").code == 0
    rows = cli("report", "c1", "--format", "jsonl").out.splitlines()
    return [line["gateway_id"] for line in map(json.loads, rows) if line["outcome"] == "accepted"]


@pytest.mark.system
def test_the_command_writes_what_the_gateway_knows_of_a_campaigns_messages(cli, sent, informant):
    cli.write("accounts.toml", (cli.directory / "accounts.toml").read_text().replace("sim-key", KEY))
    text = (cli.directory / "accounts.toml").read_text()
    url = next(line for line in text.splitlines() if "base_url" in line)
    cli.write("accounts.toml", text.replace(url, f'base_url = "{informant.url}"'))
    informant.knows(sent[0], SENT)
    assert json.loads(cli("refresh", "c1", "--json").out) == {
        "id": "c1", "asked": 3, "reported": 1, "underway": 0, "unknown": 2, "unreadable": 0,
    }  # fmt: skip
    assert json.loads(cli("status", "c1", "--json").out)["delivered"] == 1
    assert cli("audit", "c1").code == 0
    informant.knows(sent[1], {"Status": "failed", "DetailedStatusCode": "23010"})
    assert cli("refresh", "c1", "--limit", "1").out == "c1: asked about 1 message: 1 with a report\n"
    informant.knows(sent[2], DENIED)
    refused = cli("refresh", "c1")
    assert refused.code == 1
    assert "account main: Exotel refused the credentials" in refused.err
