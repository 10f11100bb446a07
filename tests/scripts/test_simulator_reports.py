"""The simulator's delivery reports: what they say, when they come, and that a seed always tells the same story."""

import asyncio
import json
from collections import Counter
from contextlib import asynccontextmanager
from urllib.parse import parse_qsl

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.simulator import SimulatorOptions, parse_fault, parse_limit, parse_reject
from scripts.simulator.fate import fate_of

pytestmark = pytest.mark.anyio

FIRST, SECOND = "+919000000001", "+919000000002"
CROWD = [f"+9190000{index:05}" for index in range(90)]


class Receiver:
    """A callback URL: keeps what is posted to it, and answers with `statuses` in turn, then 200."""

    def __init__(self, statuses):
        self.statuses, self.posts, self.url = list(statuses), [], ""

    async def serve(self, reader, writer):
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                lines = head.decode().split("\r\n")
                headers = dict(line.lower().split(": ", 1) for line in lines[1:] if line)
                body = await reader.readexactly(int(headers["content-length"]))
                self.posts.append((lines[0].split()[1], headers["content-type"], body))
                status = self.statuses.pop(0) if self.statuses else 200
                writer.write(f"HTTP/1.1 {status} Told\r\nContent-Length: 0\r\n\r\n".encode())
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    @property
    def forms(self):
        return [dict(parse_qsl(body.decode())) for _, _, body in self.posts]

    @property
    def documents(self):
        return [json.loads(body) for _, _, body in self.posts]


@asynccontextmanager
async def receiver(*statuses):
    told = Receiver(statuses)
    server = await asyncio.start_server(told.serve, "127.0.0.1", 0)
    told.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/reports"
    yield told
    server.close()


async def _settled(it):
    await asyncio.wait_for(it.simulator.reported(), 10)
    return it.simulator.stats()["reports"]


async def test_an_exotel_sms_report_is_a_form_a_message(site):
    async with receiver() as told, site(reports_s=0.01) as it:
        await it.bulk([FIRST, "555"], StatusCallback=f"{told.url}?token=1", CustomField="c/1")
        assert (await _settled(it))["delivered"] == 1
        assert told.posts[0][:2] == ("/reports?token=1", "application/x-www-form-urlencoded")
        assert told.forms == [
            {
                "SmsSid": it.simulator.messages()[0]["sid"],
                "To": "09000000001",
                "Status": "sent",
                "SmsUnits": "1",
                "DetailedStatus": "DELIVERED_TO_HANDSET",
                "DetailedStatusCode": "20005",
                "DateSent": "2027-01-15 13:30:00",
                "CustomField": "c/1",
            }
        ]


async def test_a_failure_has_no_date_and_dnd_a_status_of_its_own(site):
    rejects = (parse_reject("01=23005"), parse_reject("2=30014"))
    async with receiver() as told, site(reports_s=0.0, report_failures=1.0, report_rejects=rejects) as it:
        await it.bulk([FIRST, SECOND], StatusCallback=told.url)
        await _settled(it)
        seen = {form["To"]: (form["Status"], form["DetailedStatusCode"], form["DateSent"]) for form in told.forms}
        assert seen == {
            "09000000001": ("failed-dnd", "23005", "1970-01-01 05:30:00"),
            "09000000002": ("failed", "23035", "1970-01-01 05:30:00"),
        }


async def test_promotional_traffic_is_delivered_to_the_operator_only(site):
    async with receiver() as told, site(reports_s=0.0, report_twice=1.0) as it:
        await it.send(
            {"From": "600123", "To": FIRST, "Body": "Hi", "SmsType": "promotional", "StatusCallback": told.url}
        )
        await _settled(it)
        assert [form["DetailedStatusCode"] for form in told.forms] == ["20006", "20006"]


async def test_exotel_whatsapp_reports_travel_together_sent_before_delivered(site):
    async with (
        receiver() as told,
        site(reports_s=0.01, report_twice=1.0, report_rejects=(parse_reject("2=30018"),)) as it,
    ):
        message = {"from": FIRST, "content": {"type": "text", "text": {"body": "Hello"}}}
        messages = [message | {"to": FIRST, "custom_data": "c/1/1"}, message | {"to": SECOND}]
        document = {"status_callback": told.url, "whatsapp": {"messages": messages}}
        await it.client.post("/v2/accounts/sim/messages", json=document)
        assert (await _settled(it))["delivered"] == 6
        sent, final = (document["whatsapp"]["messages"] for document in told.documents)
        assert [report["exo_status_code"] for report in sent] == [30001, 30001]
        assert [report["exo_status_code"] for report in final] == [30002, 25001, 30018, 30018]
        assert final[0] == {
            "callback_type": "dlr",
            "sid": it.simulator.messages()[0]["sid"],
            "to": "919000000001",
            "exo_status_code": 30002,
            "exo_detailed_status": "EX_MESSAGE_DELIVERED",
            "description": "The message has been successfully delivered to the user",
            "timestamp": "2027-01-15T13:30:00.010+05:30",
            "custom_data": "c/1/1",
        }


async def test_skycores_reports_go_to_the_one_url_of_the_account(site):
    async with (
        receiver() as told,
        site(reports_s=0.01, skycore_postback=told.url, report_rejects=(parse_reject("2=E202"),)) as it,
    ):
        await it.call("skycore-sms", FIRST, **{"campaign-ref": "c/1"})
        await _settled(it)
        await it.call("skycore-sms", SECOND)
        await _settled(it)
        assert [(report["code"], report["status"]) for report in told.documents] == [
            ("N201", "Sent"),
            ("N202", "Delivered"),
            ("N201", "Sent"),
            ("E202", "Rejected"),
        ]
        assert told.documents[1] == {
            "origin": "SMS_MT",
            "code": "N202",
            "sent-as": "SMS",
            "status": "Delivered",
            "from": "50000",
            "to": "919000000001",
            "tracking-id": it.simulator.messages()[0]["sid"],
            "timestamp": "2027-01-15T08:00:00+00:00",
            "campaign-ref": "c/1",
        }


async def test_nothing_is_reported_unless_asked_for_twice(site):
    async with receiver() as told:
        async with site() as it:
            await it.bulk([FIRST], StatusCallback=told.url)
            assert it.simulator.stats()["reports"]["waiting"] == 0
        async with site(reports_s=0.0) as it:
            await it.bulk([FIRST])
            await it.bulk([FIRST], StatusCallback="file:///reports")
            await it.call("xtend-sms", FIRST)
            assert it.simulator.stats()["reports"]["waiting"] == 0
        assert told.posts == []


async def test_an_early_report_comes_before_the_answer(site):
    async with receiver() as told, site(reports_s=60.0, report_early=1.0) as it:
        answer = await it.bulk([FIRST, SECOND], StatusCallback=told.url)
        assert sorted(form["SmsSid"] for form in told.forms) == sorted(
            entry["SMSMessage"]["Sid"] for entry in answer.json()
        )


async def test_a_report_may_be_all_that_is_heard_of_a_lost_answer(site):
    async with (
        receiver() as told,
        site(reports_s=0.0, report_early=1.0, faults=(parse_fault("reset-accepted#1"),)) as it,
    ):
        with pytest.raises(httpx.ReadError):
            await it.bulk([FIRST], StatusCallback=told.url)
        assert told.forms[0]["SmsSid"] == it.simulator.messages()[0]["sid"]


async def test_a_shuffled_crowd_is_reported_exactly_out_of_order(site):
    options = {
        "reports_s": 0.05,
        "report_failures": 0.3,
        "report_twice": 0.2,
        "report_early": 0.1,
        "report_shuffle": True,
    }
    async with receiver() as told, site(**options) as it:
        await it.bulk(CROWD, StatusCallback=told.url)
        await _settled(it)
        fates = {number: fate_of(number[1:], "exotel-sms", it.simulator.options) for number in CROWD}
        reports = Counter((form["To"], form["DetailedStatusCode"]) for form in told.forms)
        assert reports == {
            (f"0{number[3:]}", fate.failure or "20005"): 1 + (fate.again_s >= 0) for number, fate in fates.items()
        }
        assert 10 < sum(bool(fate.failure) for fate in fates.values()) < 45
        assert [form["To"] for form in told.forms] != sorted(form["To"] for form in told.forms)


async def test_a_refused_report_is_tried_again_and_given_up_in_the_end(site):
    async with receiver(503, 500) as told, site(reports_s=0.0) as it:
        await it.bulk([FIRST], StatusCallback=told.url)
        assert await _settled(it) == {"waiting": 0, "delivered": 1, "given_up": 0, "calls": 3, "refused_calls": 2}
    async with receiver(503, 503, 503, 503) as told, site(reports_s=0.0) as it:
        await it.bulk([FIRST], StatusCallback=told.url)
        assert await _settled(it) == {"waiting": 0, "delivered": 0, "given_up": 1, "calls": 4, "refused_calls": 4}
    async with site(reports_s=0.0, report_early=1.0) as it:
        assert (await it.bulk([FIRST], StatusCallback="http://127.0.0.1:9/")).status_code == 200
        assert it.simulator.stats()["reports"]["given_up"] == 1


async def test_a_reset_drops_the_reports_that_wait(site):
    async with receiver() as told, site(reports_s=0.1) as it:
        await it.bulk([FIRST], StatusCallback=told.url)
        it.simulator.reset()
        await it.bulk([SECOND], StatusCallback=told.url)
        assert (await _settled(it))["delivered"] == 1
        assert [form["To"] for form in told.forms] == ["09000000002"]


async def test_details_follow_the_delivery_and_know_only_what_was_accepted(site):
    async with site(reports_s=60.0, report_rejects=(parse_reject("2=23040"),)) as it:
        await it.bulk([FIRST, SECOND, "555"], From="EXOTEL")
        first, second = (message["sid"] for message in it.simulator.messages())
        path = "/v1/Accounts/sim/SMS/Messages"
        pending = (await it.client.get(f"{path}/{first}.json")).json()["SMSMessage"]
        assert pending == {
            "Sid": first,
            "AccountSid": "sim",
            "From": "EXOTEL/EXOTEL",
            "To": "09000000001",
            "DateCreated": "2027-01-15 13:30:00",
            "DateUpdated": "2027-01-15 13:30:00",
            "DateSent": "1970-01-01 05:30:00",
            "Body": "Hello 0",
            "Direction": "outbound-api",
            "Uri": f"{path}/{first}.json",
            "ApiVersion": None,
            "Price": None,
            "Status": "submitted",
            "DetailedStatusCode": "21020",
            "DetailedStatus": "PENDING_ON_OPERATOR",
            "SmsUnits": 1,
        }
        it.clock.now += 60
        ended = [(await it.client.get(f"{path}/{sid}.json")).json()["SMSMessage"] for sid in (first, second)]
        assert [(one["Status"], one["DetailedStatus"], one["DateSent"]) for one in ended] == [
            ("sent", "DELIVERED_TO_HANDSET", "2027-01-15 13:31:00"),
            ("failed", "FAILED_SUBSCRIBER_UNKNOWN", "1970-01-01 05:30:00"),
        ]
        as_xml = (await it.client.get(f"{path}/{first}")).text
        assert f"<Sid>{first}</Sid>" in as_xml
        assert "<To>9000000001</To>" in as_xml
        assert "<Price/>" in as_xml
        unknown = await it.client.get(f"{path}/{'0' * 32}.json")
        assert (unknown.status_code, unknown.json()["RestException"]["Message"]) == (200, "No matching results")


async def test_gets_have_a_limit_of_their_own(site):
    async with site(get_limit=parse_limit("1/60s"), retry_after_s=7, limit=parse_limit("1/60s")) as it:
        path = "/v1/Accounts/sim/SMS/Messages/1.json"
        assert (await it.client.get(path)).status_code == 200
        refused = await it.client.get(path)
        assert (refused.status_code, refused.json()["RestException"]["Code"]) == (429, 40403)
        assert refused.headers["Retry-After"] == "7"
        assert (await it.bulk([FIRST])).status_code == 200
        assert (it.simulator.stats()["gets"], it.simulator.stats()["gets_throttled"]) == (2, 1)
        assert (await it.client.get(path, auth=("sim-key", "other"))).status_code == 401
        assert (await it.client.get("/v1/Accounts/stranger/SMS/Messages/1.json")).status_code == 403


@given(st.integers(), st.integers(10**7, 10**15), st.sampled_from(["exotel-sms", "exotel-whatsapp", "skycore-sms"]))
def test_a_number_has_one_fate_and_every_wait_is_within_the_delay(seed, number, gateway):
    options = SimulatorOptions(
        seed=seed, reports_s=5.0, report_failures=0.5, report_twice=0.5, report_early=0.5, report_shuffle=True
    )
    fate = fate_of(str(number), gateway, options)
    assert fate == fate_of(str(number), gateway, options)
    assert all(0 <= wait < 5 for wait in (fate.sent_s, fate.final_s))
    assert fate.again_s == -1 or 0 <= fate.again_s < 5
