"""What the sender makes of a stored batch: the call's settings and each message's own."""

import asyncio
from types import SimpleNamespace
from urllib.parse import parse_qs

import pytest

from worker.domain.content import BatchContent
from worker.domain.template import compile_template
from worker.engine import Compiled
from worker.gateways.exotel_sms import ExotelSms
from worker.intake.campaign import Campaign
from worker.ledger.packing import pack
from worker.ledger.taking import Taken
from worker.sender import Sender

CONTENT = BatchContent(
    columns=("to", "header", "kind"),
    rows=(1, 2),
    numbers=(919000000001, 919000000002),
    values=(["9000000001", "EXOTEL", "transactional"], ["9000000002", "600100", "promotional"]),
    passed=(),
)


def form_of(*, callbacks=False, **keys):
    campaign = Campaign(name="offer", accounts=("main",), body="Hi", **keys)
    compiled = Compiled(
        campaign=campaign, template=compile_template(campaign.body), message_options=campaign.message_options()
    )

    async def look_up(_):
        return compiled

    gateway = ExotelSms("http://127.0.0.1:9", "acme1", "k", "t", "any")
    engine = SimpleNamespace(compiled=look_up, callback=lambda *batch: "/".join(["http://127.0.0.1", *map(str, batch)]))
    served = SimpleNamespace(gateway=gateway, account=SimpleNamespace(status_callbacks=callbacks))
    sender = Sender(engine=engine, name="main", served=served)
    taken = Taken(campaign="c", batch=7, attempt="a", slot_us=0, packed=pack(CONTENT))
    _, call = asyncio.run(sender.write(taken, served))
    return call.url.rpartition("/")[2], {name: values[0] for name, values in parse_qs(call.content.decode()).items()}


def test_settings_with_fields_reach_each_message_and_the_text_with_fields_nobody():
    name, form = form_of(sender="{header}", sms_type="{kind}", dlt_template_id="11")
    assert name == "bulksend.json"
    assert "From" not in form
    assert [form[f"Messages[{n}][From]"] for n in (0, 1)] == ["EXOTEL", "600100"]
    assert [form[f"Messages[{n}][SmsType]"] for n in (0, 1)] == ["transactional", "promotional"]
    assert [form[f"Messages[{n}][DltTemplateId]"] for n in (0, 1)] == ["11", "11"]


@pytest.mark.parametrize(("sender", "shown"), [("EXOTEL", "EXOTEL"), ("A{{1}}", "A{1}"), (None, None)])
def test_a_text_without_fields_is_the_calls(sender, shown):
    name, form = form_of(sender=sender, exotel={"priority": "high", "custom_field": "order desk"})
    assert name == "send.json"
    assert form.get("From") == shown
    assert (form["Priority"], form["CustomField"]) == ("high", "c:7 order desk")


@pytest.mark.parametrize(("callbacks", "url"), [(True, "http://127.0.0.1/main/c/7"), (False, None)])
def test_reports_are_asked_for_where_the_account_says_so(callbacks, url):
    assert form_of(callbacks=callbacks)[1].get("StatusCallback") == url
