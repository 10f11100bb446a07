"""What the simulator remembers, and how it is asked and changed while it runs."""

from array import array

import httpx
import pytest

from scripts.simulator import SimulatorOptions, parse_fault
from scripts.simulator.dialect import Head

pytestmark = pytest.mark.anyio

FIRST, SECOND = "+919000000001", "+919000000002"


async def test_stats_count_requests_messages_and_people(site):
    async with site(faults=(parse_fault("reset-accepted#2"), parse_fault("429#3"))) as it:
        await it.bulk([FIRST, SECOND], CustomField="one/1")
        it.clock.now += 2
        with pytest.raises(httpx.ReadError):
            await it.bulk([FIRST, "555"], CustomField="two/1")
        await it.bulk([FIRST])
        assert (await it.client.get("/_sim/stats")).json() == {
            "requests": 3,
            "by_status": {"200": 1, "none": 1, "429": 1},
            "accepted": 3,
            "distinct": 2,
            "duplicates": 1,
            "throttled": 0,
            "faults": {"reset-accepted": 1, "429": 1},
            "worst_window": None,
            "worst_second": 2,
            "concurrent": 0,
            "concurrent_max": 1,
            "first_at": 1_800_000_000.0,
            "last_at": 1_800_000_002.0,
            "gets": 0,
            "gets_throttled": 0,
            "gateways": {"exotel-sms": {"requests": 3, "accepted": 3, "throttled": 0}},
            "reports": {"waiting": 0, "delivered": 0, "given_up": 0, "calls": 0, "refused_calls": 0},
        }
        assert (await it.client.get("/_sim/stats")).json() == it.simulator.stats()


async def test_messages_can_be_asked_for_by_the_start_of_their_custom_field(site):
    async with site() as it:
        await it.bulk([FIRST], CustomField="one/1")
        await it.bulk([SECOND, FIRST], CustomField="two/1")
        everything = (await it.client.get("/_sim/messages")).json()
        assert [(message["to"], message["request"]) for message in everything] == [
            (FIRST, 1),
            (SECOND, 2),
            (FIRST, 2),
        ]
        two = (await it.client.get("/_sim/messages", params={"custom_field": "two/"})).json()
        assert two == everything[1:] == it.simulator.messages("two/")
        assert len({message["sid"] for message in everything}) == 3


async def test_requests_are_listed_as_they_came(site):
    async with site(faults=(parse_fault("hang#9"),)) as it:
        await it.bulk([FIRST, "555"])
        await it.client.post("/elsewhere")
        listed = (await it.client.get("/_sim/requests")).json()
        assert listed[0] == {
            "number": 1,
            "at": 1_800_000_000.0,
            "path": "/v1/Accounts/sim/Sms/bulksend.json",
            "sid": "sim",
            "gateway": "exotel-sms",
            "status": 207,
            "messages": 1,
            "fault": None,
            "throttled": False,
        }
        assert (listed[1]["status"], listed[1]["messages"]) == (404, 0)


async def test_a_balance_is_spent_by_accepted_messages_and_a_call_beyond_it_is_refused_whole(site):
    async with site(balance=3) as it:
        assert (await it.bulk([FIRST, "555", SECOND])).status_code == 207
        refused = await it.bulk([FIRST, SECOND])
        assert (refused.status_code, refused.json()["RestException"]["Code"]) == (403, 40001)
        assert "2 sms" in refused.json()["RestException"]["Message"]
        assert (await it.bulk([FIRST])).status_code == 200
        assert (await it.bulk([FIRST])).status_code == 403
        assert (await it.client.get("/_sim/config")).json()["balance"] == 0
        await it.client.post("/_sim/config", json={"balance": 1})
        assert (await it.bulk([FIRST])).status_code == 200
        assert it.simulator.stats()["accepted"] == 4


async def test_what_a_change_does_not_name_stays(site):
    async with site(limit=None, balance=10, latency_ms=1.0) as it:
        await it.bulk([FIRST])
        change = {
            "limit": "1/60s",
            "window": "fixed",
            "over": 503,
            "retry_after_s": 7,
            "faults": ["500#5", "reset:0"],
            "rejects": ["99=23040"],
            "get_limit": "2/1s",
            "reports_s": 0.5,
            "report_failures": 0.25,
            "report_rejects": ["98=E202"],
            "skycore_postback": "http://127.0.0.1:9/reports",
        }
        changed = (await it.client.post("/_sim/config", json=change)).json()
        assert changed == {
            "sids": ["sim"],
            **change,
            "count_refused": False,
            "retry_after_date": False,
            "rate_limit_headers": False,
            "latency_ms": 1.0,
            "drip_ms": 100.0,
            "seed": 0,
            "balance": 9,
            "report_twice": 0.0,
            "report_early": 0.0,
            "report_shuffle": False,
        }
        seen = [(await it.bulk([FIRST])).status_code for _ in range(2)]
        await it.client.post("/_sim/config", json={"latency_ms": 0})
        seen.append((await it.bulk([FIRST])).status_code)
        assert seen == [200, 503, 503]
        assert (await it.client.post("/_sim/config", json={"limit": None})).json()["limit"] is None
        assert (await it.bulk([FIRST])).status_code == 500


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (b'{"limits": "1/1s"}', "limits"),
        (b'{"limit": "fast"}', "limit 'fast'"),
        (b'{"faults": ["nope:1"]}', "nope"),
        (b'{"latency_ms": -1}', "latency_ms"),
        (b'{"report_twice": 2}', "report_twice"),
        (b'{"skycore_postback": "reports"}', "postback 'reports'"),
        (b"not json", "document"),
    ],
)
async def test_a_wrong_change_is_refused_in_one_sentence_and_changes_nothing(site, document, said):
    async with site() as it:
        refused = await it.client.post("/_sim/config", content=document)
        assert refused.status_code == 400
        assert said in refused.json()["error"]
        assert it.simulator.options == SimulatorOptions()


async def test_a_reset_forgets_and_numbers_anew(site):
    async with site(faults=(parse_fault("500#1"),)) as it:
        assert [(await it.bulk([FIRST])).status_code for _ in range(2)] == [500, 200]
        assert (await it.client.post("/_sim/reset")).json()["requests"] == 0
        assert it.simulator.messages() == []
        assert [(await it.bulk([FIRST])).status_code for _ in range(2)] == [500, 200]
        it.simulator.reset()
        assert it.simulator.requests() == []


async def test_a_call_under_way_at_a_reset_is_forgotten_with_it(site):
    async with site(faults=(parse_fault("hang#1"),)) as it:
        it.client.timeout = 0.1
        gateway = it.simulator._gateway
        exchange = gateway.arrive(_head())
        it.simulator.reset()
        gateway.settle(exchange, b"Messages[0][To]=9000000001&Messages[0][Body]=Hello")
        exchange.memory.leave()
        assert it.simulator.stats()["accepted"] == 0
        assert it.simulator.stats()["concurrent"] == 0


async def test_the_control_is_for_this_machine_only(site, monkeypatch):
    async with site() as it:
        monkeypatch.setattr("scripts.simulator.connection.Connection._is_local", lambda _self: False)
        assert (await it.client.get("/_sim/stats")).status_code == 403


async def test_an_unknown_control_is_not_found(site):
    async with site() as it:
        assert (await it.client.get("/_sim/nothing")).status_code == 404


async def test_numbers_are_kept_in_eight_bytes_each(site):
    async with site() as it:
        await it.bulk([FIRST])
        assert it.simulator._gateway.memory.acceptances[0].numbers == array("Q", [919000000001])


def _head():
    return Head(
        method="POST",
        path="/v1/Accounts/sim/Sms/bulksend.json",
        authorization="Basic c2ltLWtleTpzaW0tdG9rZW4=",
    )
