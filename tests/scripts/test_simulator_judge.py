"""What the simulator makes of a call's parameters: each documented rule, in the words and shapes of the documents."""

from xml.etree import ElementTree as ET

import pytest

from scripts.simulator.judge import Reject, canonical

pytestmark = pytest.mark.anyio

FIRST, SECOND = "+919000000001", "+919000000002"
SINGLE = {"From": "EXOTEL", "To": FIRST, "Body": "Hello"}
STATIC = {"From": "EXOTEL", "To[]": [FIRST, SECOND], "Body": "Hello"}


def _messages(answer):
    return [entry["SMSMessage"] for entry in answer.json()]


def _code(answer):
    return answer.status_code, answer.json()["RestException"].get("Code")


async def test_a_dynamic_call_is_answered_in_order_with_numbers_led_by_zero(site):
    async with site() as it:
        answer = await it.bulk([FIRST, SECOND], From="EXOTEL", CustomField="c/1")
        assert answer.status_code == 200
        first, second = _messages(answer)
        assert first == {
            "Sid": first["Sid"],
            "AccountSid": "sim",
            "From": "EXOTEL/EXOTEL",
            "To": "09000000001",
            "DateCreated": "2027-01-15 13:30:00",
            "DateUpdated": "2027-01-15 13:30:00",
            "DateSent": None,
            "Body": "Hello 0",
            "Direction": "outbound-api",
            "Uri": f"/v1/Accounts/sim/SMS/Messages/{first['Sid']}.json",
            "ApiVersion": None,
            "Price": None,
            "Status": "queued",
            "DetailedStatusCode": 21010,
            "DetailedStatus": "PENDING_TO_OPERATOR",
            "SmsUnits": None,
        }
        assert (second["To"], second["Body"]) == ("09000000002", "Hello 1")
        assert len({first["Sid"], second["Sid"]}) == 2
        assert it.simulator.messages() == [
            {
                "sid": message["Sid"],
                "to": number,
                "body": message["Body"],
                "request": 1,
                "received_at": "2027-01-15T08:00:00.000000+00:00",
                "custom_field": "c/1",
            }
            for message, number in ((first, FIRST), (second, SECOND))
        ]


async def test_a_single_call_is_answered_with_one_object_whose_code_is_text(site):
    async with site() as it:
        message = (await it.send(SINGLE)).json()["SMSMessage"]
        assert (message["To"], message["DetailedStatusCode"]) == ("09000000001", "21010")


@pytest.mark.parametrize("names", [("To[]", "To[]"), ("To[0]", "To[1]")])
async def test_a_static_call_gives_one_body_to_many(site, names):
    async with site() as it:
        pairs = [("From", "EXOTEL"), ("Body", "Hello"), (names[0], FIRST), (names[1], SECOND)]
        content = "&".join(f"{name}={value}".replace("+", "%2B") for name, value in pairs)
        answer = await it.client.post(
            "/v1/Accounts/sim/Sms/send.json",
            content=content,
            headers={"Content-Type": "application/x-www-form-urlencoded"},
        )
        assert [message["To"] for message in _messages(answer)] == ["09000000001", "09000000002"]
        assert [message["body"] for message in it.simulator.messages()] == ["Hello", "Hello"]


async def test_one_invalid_number_fails_alone_and_static_answers_do_not_name_it(site):
    async with site() as it:
        dynamic = await it.bulk([FIRST, "555", SECOND])
        static = await it.send(STATIC | {"To[]": [FIRST, "555", SECOND]})
        for answer, shown in ((dynamic, "555"), (static, None)):
            assert answer.status_code == 207
            messages = _messages(answer)
            assert [message["Status"] for message in messages] == ["queued", "failed", "queued"]
            failed = messages[1]
            assert (failed["DetailedStatusCode"], failed["DetailedStatus"], failed["To"], failed["Sid"]) == (
                23010,
                "FAILED_INVALID_DESTINATION_NUMBER",
                shown,
                None,
            )
        assert [message["to"] for message in it.simulator.messages()] == [FIRST, SECOND] * 2


@pytest.mark.parametrize(("body", "code"), [("", 23000), ("x" * 2001, 23070)])
async def test_a_missing_or_overlong_body_fails_its_entry_of_a_dynamic_call(site, body, code):
    async with site() as it:
        answer = await it.bulk([{"To": FIRST, "Body": body}, {"To": SECOND, "Body": "x" * 2000}])
        assert answer.status_code == 207
        assert [message["DetailedStatusCode"] for message in _messages(answer)] == [code, 21010]
        assert _messages(answer)[0]["To"] == "09000000001"
        assert [message["to"] for message in it.simulator.messages()] == [SECOND]


async def test_an_entry_without_a_number_fails_alone(site):
    async with site() as it:
        answer = await it.bulk([{"Body": "Hello"}, FIRST])
        assert [message["DetailedStatusCode"] for message in _messages(answer)] == [23010, 21010]


async def test_rejected_suffixes_fail_numbers_that_look_valid(site):
    rejects = (Reject(suffix="01", code="23005"), Reject(suffix="02", code="23040"))
    async with site(rejects=rejects) as it:
        answer = await it.bulk([FIRST, SECOND, "+919000000003"])
        assert [(message["Status"], message["DetailedStatus"]) for message in _messages(answer)] == [
            ("failed-dnd", "FAILED_REJECTED_DND"),
            ("failed", "FAILED_SUBSCRIBER_UNKNOWN"),
            ("queued", "PENDING_TO_OPERATOR"),
        ]
        all_failed = await it.bulk([FIRST])
        assert (all_failed.status_code, it.simulator.stats()["accepted"]) == (207, 1)


@pytest.mark.parametrize(
    ("messages", "outer", "expected"),
    [
        ([], {}, (400, 40201)),
        ([FIRST] * 101, {}, (400, 40400)),
        (["555", "1"], {}, (400, 40203)),
        ([{"To": FIRST, "Body": "now [[poison]] then"}, SECOND], {}, (400, 40202)),
        ([FIRST], {"From": ""}, (400, 40205)),
        ([{"To": FIRST, "Body": "Hello", "From": ""}], {}, (400, 40205)),
        ([FIRST], {"SmsType": "express"}, (400, 40204)),
        ([{"To": FIRST, "Body": "Hello", "SmsType": "express"}], {}, (400, 40204)),
        ([FIRST], {"EncodingType": "utf"}, (400, 40209)),
        ([FIRST], {"From[0]": "EXOTEL"}, (400, 40207)),
        ([{"To": FIRST, "Body][": "Hello"}], {}, (400, 40207)),
        ([], {"Messages": "Hello"}, (400, 40208)),
        ([], {"Messages[0]": "Hello"}, (400, 40202)),
    ],
)
async def test_a_wrong_dynamic_call_is_refused_whole(site, messages, outer, expected):
    async with site() as it:
        assert _code(await it.bulk(messages, **outer)) == expected
        assert it.simulator.stats()["accepted"] == 0


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ({}, (400, 40200)),
        (SINGLE | {"Body": ""}, (400, 40200)),
        (SINGLE | {"Body": "x" * 2001}, (400, 40202)),
        (STATIC | {"Body": "[[poison]]"}, (400, 40202)),
        (SINGLE | {"To": "12345"}, (400, 40203)),
        ({"From": "EXOTEL", "Body": "Hello"}, (400, 40203)),
        (STATIC | {"To[]": [FIRST] * 101}, (400, 40406)),
        ({"To": FIRST, "Body": "Hello"}, (400, 40210)),
        (SINGLE | {"From": ""}, (400, 40205)),
        (SINGLE | {"SmsType": "express"}, (400, 40204)),
        (SINGLE | {"EncodingType": "utf"}, (400, 40209)),
        ({"From": "EXOTEL", "To": FIRST, "Body[]": "Hello"}, (400, 40207)),
    ],
)
async def test_a_wrong_single_or_static_call_is_refused_whole(site, form, expected):
    async with site() as it:
        assert _code(await it.send(form)) == expected
        assert it.simulator.stats()["accepted"] == 0


async def test_the_settings_of_a_correct_call_are_taken(site):
    async with site() as it:
        settings = {"SmsType": "transactional_opt_in", "DltTemplateId": "1107000000000000001"}
        answer = await it.bulk(
            [{"To": FIRST, "Body": "₹ 5 & 100%", "From": "OTHER"} | settings],
            From="EXOTEL",
            EncodingType="unicode",
            DltEntityId="1101000000000000001",
            **{"ShortenUrlParams[Tracking]": "true"},
        )
        assert answer.status_code == 200
        assert (_messages(answer)[0]["From"], _messages(answer)[0]["Body"]) == ("OTHER/OTHER", "₹ 5 & 100%")


async def test_a_body_that_is_no_form_has_no_parameters(site):
    async with site() as it:
        answer = await it.client.post("/v1/Accounts/sim/Sms/bulksend.json", json={"Messages": []})
        assert _code(answer) == (400, 40201)


async def test_without_the_suffix_the_answer_is_xml_without_the_zero(site):
    async with site() as it:
        answer = await it.bulk([FIRST, {"To": "555", "Body": "a < b"}], From="EXOTEL", suffix="")
        assert (answer.status_code, answer.headers["Content-Type"]) == (207, "application/xml")
        taken, failed = ET.fromstring(answer.content).findall("SMSMessage")
        assert (taken.findtext("To"), taken.findtext("Status")) == ("9000000001", "queued")
        assert taken.findtext("Sid") == it.simulator.messages()[0]["sid"]
        assert (failed.findtext("Sid"), failed.findtext("To"), failed.findtext("Body")) == ("", "555", "a < b")
        static = await it.send(STATIC | {"To[]": [FIRST, "555"]}, suffix="")
        assert [entry.findtext("To") for entry in ET.fromstring(static.content)] == ["9000000001", ""]
        refused = await it.bulk([], suffix="")
        assert ET.fromstring(refused.content).findtext("RestException/Code") == "40201"


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("POST", "/v1/Accounts/other/Sms/bulksend.json", (403, 34009)),
        ("POST", "/v1/Accounts//Sms/send.json", (403, 34009)),
        ("POST", "/v1/Accounts/sim/Calls/connect.json", (403, 34009)),
        ("POST", "/v1/Accounts/sim/Sms/blast.json", (405, 40502)),
        ("POST", "/v1/Accounts/sim/Sms/send.xml.json", (405, 40502)),
        ("GET", "/v1/Accounts/sim/Sms/send.json", (405, 40502)),
        ("POST", "/v1/Somewhere.json", (400, None)),
        ("POST", "/v2/accounts/sim/messages.json", (400, None)),
        ("POST", "/favicon.json", (404, None)),
        ("POST", "/.json", (404, None)),
    ],
)
async def test_other_paths_get_their_documented_errors(site, method, path, expected):
    async with site() as it:
        assert _code(await it.client.request(method, path)) == expected


async def test_an_account_path_without_an_action_is_refused(site):
    async with site() as it:
        answer = await it.client.post("/v1/Accounts/sim/Sms")
        assert ET.fromstring(answer.content).findtext("RestException/Code") == "40500"


async def test_credentials_are_asked_for_and_checked(site):
    async with site(api_key="k", api_token="t") as it:
        path = "/v1/Accounts/sim/Sms/bulksend.json"
        missing = await it.client.post(path, auth=lambda request: request)
        assert (missing.status_code, missing.text) == (401, "Authentication is required to view this page.")
        assert _code(await it.client.post(path, auth=("k", "other"))) == (401, 34010)
        assert _code(await it.client.post(path, auth=("k", "t?"))) == (400, 34001)
        assert _code(await it.client.post(path, headers={"Authorization": "Basic ???"}, auth=None)) == (400, 34001)
        assert _code(await it.client.post(path, auth=("k", "t"))) == (400, 40201)


@pytest.mark.parametrize(
    ("given", "digits"),
    [
        ("+919000000001", "919000000001"),
        ("919000000001", "919000000001"),
        ("09000000001", "919000000001"),
        ("9000000001", "919000000001"),
        ("+915000000001", ""),
        ("+91900000000", ""),
        ("5000000001", ""),
        ("555", ""),
        ("", ""),
        ("+1 415 555 0100", ""),
        ("+14155550100", "14155550100"),
        ("0014155550100", "14155550100"),
        ("14155550100", "14155550100"),
        ("+1234567", ""),
        ("+1234567890123456", ""),
        ("+٩١٩٠٠٠٠٠٠٠٠١", ""),
    ],
)
async def test_numbers_are_plausible_mobiles_or_invalid(given, digits):
    assert canonical(given) == digits
