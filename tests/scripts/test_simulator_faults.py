"""Each fault of the simulator, seen from the client, and what it left accepted."""

import asyncio
import base64

import httpx
import pytest

from scripts.simulator import parse_fault
from scripts.simulator.faults import KINDS, FaultDraw

pytestmark = pytest.mark.anyio

NUMBER = "+919000000001"

ANSWERED = {
    "garbage": (200, None, 1),
    "slow": (200, None, 1),
    "400": (400, 40202, 0),
    "413": (413, None, 0),
    "unauthorized": (401, 34010, 0),
    "no-balance": (403, 40001, 0),
    "inactive": (403, 40002, 0),
    "kyc": (403, 340030, 0),
    "429": (429, 40402, 0),
    "429-partly": (200, None, 1),
    "402-partly": (200, None, 1),
    "trial": (429, 40404, 0),
    "500": (500, 40100, 0),
    "500-accepted": (500, 40100, 1),
    "502": (502, None, 0),
    "502-accepted": (502, None, 1),
    "503": (503, None, 0),
    "503-accepted": (503, None, 1),
    "504": (504, None, 0),
    "504-accepted": (504, None, 1),
}
BROKEN = {
    "refuse": ((httpx.ReadError, httpx.WriteError), 0),
    "reset": (httpx.ReadError, 0),
    "reset-accepted": (httpx.ReadError, 1),
    "hang": (httpx.ReadTimeout, 0),
    "hang-accepted": (httpx.ReadTimeout, 1),
    "truncated": (httpx.RemoteProtocolError, 1),
}


async def test_the_two_tables_name_every_kind():
    assert ANSWERED.keys() | BROKEN.keys() == KINDS.keys()


@pytest.mark.parametrize("kind", ANSWERED)
async def test_a_fault_that_answers(site, kind):
    status, code, accepted = ANSWERED[kind]
    async with site(faults=(parse_fault(f"{kind}#1"),), drip_ms=1.0) as it:
        answer = await it.bulk([NUMBER])
        is_json = answer.headers["Content-Type"] == "application/json"
        body = answer.json() if is_json else {}
        assert answer.status_code == status
        assert (body.get("RestException", {}).get("Code") if isinstance(body, dict) else None) == code
        stats = it.simulator.stats()
        assert (stats["accepted"], stats["faults"], stats["by_status"]) == (accepted, {kind: 1}, {str(status): 1})
        assert (await it.bulk([NUMBER])).status_code == 200
        assert it.simulator.stats()["duplicates"] == accepted


@pytest.mark.parametrize("kind", BROKEN)
async def test_a_fault_that_breaks_the_connection(site, kind):
    error, accepted = BROKEN[kind]
    async with site(faults=(parse_fault(f"{kind}#1"),)) as it:
        it.client.timeout = httpx.Timeout(5, read=0.2)
        with pytest.raises(error):
            await it.bulk([NUMBER] + [f"+9190000001{index:02}" for index in range(90)])
        stats = it.simulator.stats()
        assert (stats["accepted"], stats["faults"]) == (accepted * 91, {kind: 1})
        assert stats["by_status"] == ({"200": 1} if kind == "truncated" else {"none": 1})
        assert (await it.bulk([NUMBER])).status_code == 200


async def test_a_proxys_page_has_no_code(site):
    async with site(faults=(parse_fault("503-accepted#1"),), retry_after_s=5) as it:
        answer = await it.bulk([NUMBER])
        assert answer.headers["Content-Type"] == "text/html"
        assert "Retry-After" not in answer.headers


@pytest.mark.parametrize(("kind", "given"), [("429", "5"), ("503", "5"), ("trial", None)])
async def test_a_fault_to_be_waited_for_says_how_long(site, kind, given):
    async with site(faults=(parse_fault(f"{kind}#1"),), retry_after_s=5) as it:
        assert (await it.bulk([NUMBER])).headers.get("Retry-After") == given


async def test_a_call_refused_for_its_parameters_meets_no_fault_that_accepts(site):
    async with site(faults=(parse_fault("502-accepted#1"),)) as it:
        assert (await it.bulk([])).status_code == 400
        assert it.simulator.stats()["faults"] == {}


async def test_a_reset_comes_before_a_large_body_is_read(site):
    async with site(faults=(parse_fault("refuse#1"),)) as it:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(it.simulator.url.rpartition(":")[2]))
        pair = base64.b64encode(b"sim-key:sim-token").decode()
        writer.write(
            b"POST /v1/Accounts/sim/Sms/bulksend.json HTTP/1.1\r\nHost: sim\r\n"
            b"Authorization: Basic " + pair.encode() + b"\r\nContent-Length: 100000\r\n\r\n"
        )
        with pytest.raises(ConnectionResetError):
            await reader.read()
        writer.close()
        assert it.simulator.stats()["requests"] == 1


async def test_faults_meet_requests_by_number_or_by_a_seeded_share():
    faults = [parse_fault("hang#2-3"), parse_fault("reset:0.25"), parse_fault("500:0.25")]
    first, again, other = (FaultDraw(faults, seed) for seed in (1, 1, 2))
    drawn = [first.draw(number) for number in range(1, 2001)]
    assert drawn == [again.draw(number) for number in range(1, 2001)]
    assert drawn != [other.draw(number) for number in range(1, 2001)]
    assert drawn[1:3] == ["hang", "hang"]
    assert 400 < drawn.count("reset") < 600
    assert 400 < drawn.count("500") < 600


async def test_latency_holds_back_the_answer_and_not_the_other_calls(site):
    async with site(latency_ms=200.0) as it:
        started = asyncio.get_running_loop().time()
        await asyncio.gather(*(it.bulk([f"+91900000000{index}"]) for index in range(3)))
        elapsed = asyncio.get_running_loop().time() - started
        assert elapsed >= 0.2
        assert it.simulator.stats()["concurrent_max"] == 3
        assert it.simulator.stats()["concurrent"] == 0


async def test_what_was_accepted_stays_accepted_when_the_client_does_not_wait(site):
    async with site(latency_ms=5_000.0) as it:
        with pytest.raises(httpx.ReadTimeout):
            await it.client.post(
                "/v1/Accounts/sim/Sms/send.json",
                data={"From": "EXOTEL", "To": NUMBER, "Body": "Hello"},
                timeout=httpx.Timeout(5, read=0.1),
            )
        assert [message["to"] for message in it.simulator.messages()] == [NUMBER]


async def test_a_client_that_pipelines_is_cut_off(site):
    async with site(latency_ms=1_000.0) as it:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(it.simulator.url.rpartition(":")[2]))
        writer.write(b"POST / HTTP/1.1\r\nHost: sim\r\nContent-Length: 0\r\n\r\n" * 2)
        with pytest.raises(ConnectionResetError):
            await reader.read()
        writer.close()


async def test_what_is_no_http_is_refused(site):
    async with site() as it:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(it.simulator.url.rpartition(":")[2]))
        writer.write(b"good day\r\n\r\n")
        assert (await reader.read()).startswith(b"HTTP/1.1 400 ")
        writer.close()


async def test_a_client_that_asks_first_is_told_to_go_on(site):
    async with site() as it:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(it.simulator.url.rpartition(":")[2]))
        head = (
            b"POST /x HTTP/1.1\r\nHost: sim\r\nContent-Length: 1\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n"
        )
        writer.write(head)
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        writer.write(b"x")
        assert (await reader.read()).startswith(b"HTTP/1.1 404 ")
        writer.close()
