"""What all five simulated gateways have in common, each in its own words: limiter, faults, balance, records."""

import json

import httpx
import pytest

from scripts.simulator import parse_fault, parse_limit, parse_reject

pytestmark = pytest.mark.anyio

GATEWAYS = ("exotel-sms", "exotel-whatsapp", "xtend-sms", "xtend-whatsapp", "skycore-sms")
NUMBER = "+919000000001"

THROTTLED = {
    ("exotel-sms", 429): (429, '"Code": 40402'),
    ("exotel-sms", 503): (503, '"Code": 40405'),
    ("exotel-whatsapp", 429): (429, '"http_code":429'),
    ("exotel-whatsapp", 503): (503, '"http_code":503'),
    ("xtend-sms", 429): (200, "Error Code: 997, Invalid SenderID and Throttle"),
    ("xtend-sms", 503): (200, "Error Code: 74, "),
    ("xtend-whatsapp", 429): (429, '"code":130429'),
    ("xtend-whatsapp", 503): (503, '"code":131016'),
    ("skycore-sms", 429): (200, '"error-code":"E113"'),
    ("skycore-sms", 503): (200, '"error-code":"E106"'),
}
FAULTS = {
    "unauthorized": {
        "exotel-sms": (401, "34010"),
        "exotel-whatsapp": (401, '"code":401'),
        "xtend-sms": (401, "Invalid username or password"),
        "xtend-whatsapp": (401, '"code":190'),
        "skycore-sms": (200, "E104"),
    },
    "no-balance": {
        "exotel-sms": (403, "40001"),
        "exotel-whatsapp": (402, '"code":402'),
        "xtend-sms": (200, "Error Code: 955, Insufficient sms Balance"),
        "xtend-whatsapp": (400, "131042"),
        "skycore-sms": (200, "E713"),
    },
    "inactive": {
        "exotel-sms": (403, "40002"),
        "exotel-whatsapp": (403, '"code":403'),
        "xtend-sms": (200, "Error Code: 959, Account Expired"),
        "xtend-whatsapp": (403, "131031"),
        "skycore-sms": (200, "E103"),
    },
    "500": {
        "exotel-sms": (500, "40100"),
        "exotel-whatsapp": (500, '"code":500'),
        "xtend-sms": (500, "Internal Server Error"),
        "xtend-whatsapp": (500, "131000"),
        "skycore-sms": (500, "E503"),
    },
    "413": dict.fromkeys(GATEWAYS, (413, "")),
    "502": dict.fromkeys(GATEWAYS, (502, "Bad Gateway")),
}
REJECTED = {
    "exotel-sms": ("23005", (207, "FAILED_REJECTED_DND")),
    "exotel-whatsapp": ("30014", (400, "EX_RECIPIENT_BLOCKED")),
    "xtend-sms": ("20A", (200, "Error Code: 20A, Message failed")),
    "xtend-whatsapp": ("131047", (400, '"code":131047')),
    "skycore-sms": ("E114", (200, "E114")),
}


def _said(answer):
    return answer.status_code, answer.text


def _agrees(answer, expected):
    status, words = expected
    return answer.status_code == status and words in answer.text


@pytest.mark.parametrize("gateway", GATEWAYS)
async def test_what_was_accepted_is_told_in_the_same_fields(site, gateway):
    async with site() as it:
        answer = await it.call(gateway, NUMBER, "Hello & bye")
        (message,) = it.simulator.messages()
        assert message.pop("sid") in answer.text
        assert message == {
            "to": NUMBER,
            "body": "Hello & bye",
            "request": 1,
            "received_at": "2027-01-15T08:00:00.000000+00:00",
            "custom_field": "",
        }
        assert it.simulator.stats()["gateways"] == {gateway: {"requests": 1, "accepted": 1, "throttled": 0}}


@pytest.mark.parametrize(("gateway", "over"), THROTTLED)
async def test_the_call_too_many_is_refused_in_the_gateways_own_form(site, gateway, over):
    async with site(limit=parse_limit("1/60s"), over=over, sids=("sim", "other")) as it:
        assert (await it.call(gateway, NUMBER)).is_success
        assert _agrees(refused := await it.call(gateway, NUMBER), THROTTLED[gateway, over]), _said(refused)
        assert (await it.call(gateway, NUMBER, account="other")).is_success
        assert it.simulator.stats()["gateways"][gateway] == {"requests": 3, "accepted": 2, "throttled": 1}


async def test_the_limit_is_each_gateways_own(site):
    async with site(limit=parse_limit("1/60s")) as it:
        for gateway in GATEWAYS:
            await it.call(gateway, NUMBER)
        stats = it.simulator.stats()
        assert (stats["accepted"], stats["throttled"], stats["worst_window"]) == (5, 0, 1)


@pytest.mark.parametrize("gateway", GATEWAYS)
@pytest.mark.parametrize("kind", FAULTS)
async def test_a_fault_is_said_in_the_gateways_own_form(site, kind, gateway):
    async with site(faults=(parse_fault(f"{kind}#1"),)) as it:
        answer = await it.call(gateway, NUMBER)
        assert _agrees(answer, FAULTS[kind][gateway]), _said(answer)
        assert (it.simulator.stats()["accepted"], it.simulator.stats()["faults"]) == (0, {kind: 1})


@pytest.mark.parametrize("gateway", GATEWAYS)
@pytest.mark.parametrize("kind", ["reset-accepted", "truncated", "refuse"])
async def test_an_answer_is_lost_on_demand_at_every_gateway(site, kind, gateway):
    async with site(faults=(parse_fault(f"{kind}#1"),)) as it:
        with pytest.raises(httpx.TransportError):
            await it.call(gateway, NUMBER)
        assert it.simulator.stats()["accepted"] == (0 if kind == "refuse" else 1)


@pytest.mark.parametrize("gateway", GATEWAYS)
async def test_a_number_may_be_made_to_fail_with_a_code_of_its_gateway(site, gateway):
    expected = REJECTED[gateway][1]
    rejects = tuple(parse_reject(f"01={code}") for code, _ in REJECTED.values())
    async with site(rejects=rejects) as it:
        assert _agrees(answer := await it.call(gateway, NUMBER), expected), _said(answer)
        assert (await it.call(gateway, "+919000000002")).is_success
        assert [message["to"] for message in it.simulator.messages()] == ["+919000000002"]


@pytest.mark.parametrize("gateway", GATEWAYS)
async def test_an_invalid_number_is_refused_everywhere(site, gateway):
    async with site() as it:
        answer = await it.call(gateway, "555")
        marks = ("40203", "not a valid phone number", "Error Code: 954", "131026", "E110")
        assert marks[GATEWAYS.index(gateway)] in answer.text
        assert it.simulator.stats()["accepted"] == 0


@pytest.mark.parametrize("gateway", GATEWAYS)
async def test_the_balance_is_one_for_all_and_its_end_is_said_everywhere(site, gateway):
    async with site(balance=1) as it:
        assert (await it.call(gateway, NUMBER)).is_success
        assert _agrees(answer := await it.call(gateway, NUMBER), FAULTS["no-balance"][gateway]), _said(answer)


@pytest.mark.parametrize("gateway", GATEWAYS)
async def test_a_poisoned_body_refuses_its_whole_call(site, gateway):
    async with site() as it:
        answer = await it.call(gateway, NUMBER, "now [[poison]] then")
        marks = ("40202", '"http_code":400', "Error Code: 222", "131009", "E100")
        assert marks[GATEWAYS.index(gateway)] in answer.text


@pytest.mark.parametrize("gateway", [name for name in GATEWAYS if name != "exotel-sms"])
async def test_wrong_credentials_and_unknown_accounts_are_refused(site, gateway):
    async with site(api_key="other", api_token="other") as it:
        assert _agrees(answer := await it.call(gateway, NUMBER), FAULTS["unauthorized"][gateway]), _said(answer)
    async with site() as it:
        answer = await it.call(gateway, NUMBER, account="stranger")
        marks = {"exotel-whatsapp": (403, ""), "xtend-whatsapp": (403, '"code":10')}
        assert _agrees(answer, marks.get(gateway, FAULTS["unauthorized"][gateway])), _said(answer)


async def test_a_document_for_skycore_is_understood_at_any_path(site):
    async with site() as it:
        document = {"action": "SendSMS", "message-text": "Hello", "to": "919000000001", "from": "50000"}
        headers = {"x-api-key": "sim-key"}
        assert (await it.client.post("/API/v2", json=document, headers=headers)).json()["status"] == "Success"
        assert (await it.client.post("/API/v2", json={"action": "other"}, headers=headers)).status_code == 404
        wrong = await it.client.post("/skycore", json={"action": "other"}, headers=headers)
        assert wrong.json() == {
            "status": "Failure",
            "error-code": "E107",
            "error-info": "Action not allowed.",
            "to": "",
        }
        broken = await it.client.post("/skycore", content=b"{", headers=headers)
        assert broken.json()["error-code"] == "E108"


async def test_skycore_answers_as_its_document_shows(site):
    async with site() as it:
        taken = (await it.call("skycore-sms", NUMBER, **{"campaign-ref": "c/1", "click-tracking": True})).json()
        (message,) = it.simulator.messages("c/")
        assert taken == {
            "status": "Success",
            "tracking-id": message["sid"],
            "to": NUMBER,
            "from": "50000",
            "status-details": "SMS request accepted and queued for delivery",
        }
        failed = (await it.call("skycore-sms", NUMBER, **{"from": ""})).json()
        assert failed == {"status": "Failure", "error-code": "E111", "error-info": "Invalid Sender.", "to": NUMBER[1:]}
        assert (await it.call("skycore-sms", NUMBER, "")).json()["error-code"] == "E100"
        assert (await it.client.get("/skycore")).status_code == 405


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_xtend_sms_answers_with_a_bare_id_whichever_way_it_is_asked(site, method):
    async with site() as it:
        form = {"username": "sim", "pass": "sim-token", "senderid": "EXOTEL", "dest_mobileno": "919000000001"}
        form |= {"message": "₹ 5 & 100%", "msgtype": "UNI", "dltheaderid": "1", "dltentityid": "2", "dlttempid": "3"}
        place = {"params": form} if method == "GET" else {"data": form}
        answer = await it.client.request(method, "/blank/sms/user/urlsms.php", **place)
        (message,) = it.simulator.messages()
        assert (answer.text.strip(), message["body"]) == (message["sid"], "₹ 5 & 100%")
        assert "sim-token" not in json.dumps(it.simulator.requests()[0].path)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"message": ""}, "223"),
        ({"dlttempid": ""}, "223"),
        ({"senderid": ""}, "953"),
        ({"msgtype": "UTF"}, "226"),
        ({"message": "₹ 5"}, "226"),
        ({"dest_mobileno": "919000000001,919000000002"}, "954"),
    ],
)
async def test_xtend_sms_names_what_is_wrong_by_its_table(site, change, code):
    async with site() as it:
        answer = await it.call("xtend-sms", NUMBER, **change)
        assert answer.text.startswith(f"Error Code: {code}, ")


async def test_other_methods_are_not_for_xtend_sms(site):
    async with site() as it:
        assert (await it.client.put("/blank/sms/user/urlsms.php")).status_code == 405
