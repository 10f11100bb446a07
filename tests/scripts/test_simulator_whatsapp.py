"""The two WhatsApp gateways of the simulator: answers a message."""

import pytest

from scripts.simulator import parse_fault

pytestmark = pytest.mark.anyio

FIRST, SECOND = "+919000000001", "919000000002"
SENDER = "+919000099999"


def _text(to, body="Hello", **more):
    return {"from": SENDER, "to": to, "content": {"type": "text", "text": {"body": body}}} | more


async def _send(it, *messages, **outer):
    return await it.client.post("/v2/accounts/sim/messages", json={"whatsapp": {"messages": list(messages)}} | outer)


async def test_exotel_answers_as_its_document_shows(site):
    async with site() as it:
        answer = await _send(it, _text(FIRST, custom_data="c/1/1"), _text(SECOND), custom_data="c/1")
        first, second = it.simulator.messages()
        assert answer.status_code == 202
        assert answer.json() == {
            "request_id": answer.json()["request_id"],
            "method": "POST",
            "http_code": 202,
            "metadata": {"failed": 0, "total": 2, "success": 2},
            "response": {
                "whatsapp": {
                    "messages": [
                        {"code": 202, "error_data": None, "status": "success", "data": {"sid": message["sid"]}}
                        for message in (first, second)
                    ]
                }
            },
        }
        assert [(message["to"], message["custom_field"]) for message in (first, second)] == [
            (FIRST, "c/1/1"),
            (f"+{SECOND}", "c/1"),
        ]
        assert it.simulator.messages("c/1/") == [first]


async def test_exotel_judges_each_message_by_itself(site):
    async with site() as it:
        answer = await _send(it, _text("555"), _text(FIRST), _text(SECOND, ""), _text(SECOND, **{"from": ""}))
        items = answer.json()["response"]["whatsapp"]["messages"]
        assert (answer.status_code, answer.json()["metadata"]) == (207, {"failed": 3, "total": 4, "success": 1})
        assert [item["code"] for item in items] == [400, 202, 400, 400]
        assert items[0]["error_data"] == {
            "code": 400,
            "message": "Invalid Parameter",
            "description": "to is not a valid phone number",
        }
        assert items[2]["error_data"]["description"] == "content is not a valid message"
        assert [message["to"] for message in it.simulator.messages()] == [FIRST]


@pytest.mark.parametrize(
    ("kind", "code", "message"),
    [
        ("429-partly", 429, "Too many requests"),
        ("402-partly", 402, "You have exceeded usage limits for your current plan."),
    ],
)
async def test_exotel_leaves_the_last_fifth_of_a_call_on_demand(site, kind, code, message):
    people = [_text("555"), *(_text(f"+91900000000{place}") for place in range(5))]
    async with site(faults=(parse_fault(f"{kind}#1-2"),)) as it:
        answer = await _send(it, *people)
        items = answer.json()["response"]["whatsapp"]["messages"]
        assert (answer.status_code, [item["code"] for item in items]) == (207, [400, 202, 202, 202, code, code])
        assert items[5]["error_data"] == {"code": code, "message": message, "description": message}
        assert [taken["to"][-1] for taken in it.simulator.messages()] == ["0", "1", "2"]
        assert (await _send(it, people[5])).json()["response"]["whatsapp"]["messages"] == [items[5]]
        assert (await _send(it, *people[4:])).status_code == 202
        assert it.simulator.stats()["duplicates"] == 0


@pytest.mark.parametrize(
    "document",
    [
        [],
        {},
        {"whatsapp": []},
        {"whatsapp": {"messages": []}},
        {"whatsapp": {"messages": ["Hello"]}},
        {"whatsapp": {"messages": [_text(FIRST)] * 101}},
    ],
)
async def test_exotel_refuses_a_call_without_one_to_a_hundred_messages(site, document):
    async with site() as it:
        answer = await it.client.post("/v2/accounts/sim/messages", json=document)
        assert (answer.status_code, answer.json()["http_code"]) == (400, 400)
        assert "metadata" not in answer.json()
    async with site() as it:
        assert (await it.client.post("/v2/accounts/sim/messages", content=b"{")).status_code == 400


async def test_xtend_answers_in_metas_shape(site):
    async with site() as it:
        answer = await it.call("xtend-whatsapp", SECOND)
        (message,) = it.simulator.messages()
        assert answer.json() == {
            "messaging_product": "whatsapp",
            "contacts": [{"input": SECOND, "wa_id": SECOND}],
            "messages": [{"id": message["sid"]}],
        }
        assert message["sid"].startswith("wamid.")
        refused = (await it.call("xtend-whatsapp", SECOND, "")).json()["error"]
        assert (refused["code"], refused["message"]) == (131009, "(#131009) Parameter value is not valid")
        assert (await it.call("xtend-whatsapp", SECOND, messaging_product="sms")).json()["error"]["code"] == 131008
        headers = {"apikey": "sim-key"}
        assert (await it.client.post("/v3/sim/messages", content=b"{", headers=headers)).status_code == 400


async def test_what_is_no_text_is_remembered_as_its_content(site):
    async with site() as it:
        await _send(it, _text(FIRST, content={"type": "image", "image": {"link": "https://sim.example/a.png"}}))
        assert '"link":"https://sim.example/a.png"' in it.simulator.messages()[0]["body"]
