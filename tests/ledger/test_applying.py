"""Posted bodies on their way from the stream to the messages that they are about, on the real server."""

from urllib.parse import urlencode

import pytest

from config.account_models import ExotelSmsAccount
from worker.applying import apply_waiting
from worker.ledger import keys
from worker.ledger.inbox import Posted, append_reports, waiting

ACCOUNTS = {
    name: ExotelSmsAccount(name=name, gateway="exotel-sms", sid=name, api_key="k", api_token="t")
    for name in ("main", "other")
}


def form(row=None, **fields):
    to = {} if row is None else {"To": f"09{row:09}"}
    return urlencode({"Status": "sent", "DetailedStatusCode": "20005"} | to | fields).encode()


def post(ledger, body, *, account="main", campaign="c", batch=1):
    """A gateway posts this body to a batch's URL, or to the account's, and a worker applies it."""
    posted = Posted(account=account, campaign=campaign, batch=batch, body=body)
    ledger.run(append_reports(ledger.aredis, [posted]))
    return apply(ledger)


def apply(ledger):
    applied = apply_waiting(ledger.redis, ACCOUNTS, "w")
    assert waiting(ledger.redis) == 0
    return applied


def deliveries(ledger):
    return [row.delivery for row in ledger.rows()]


@pytest.fixture
def sent(ledger):
    """A batch of two of account main that is on the wire."""
    ledger.campaign(2)
    ledger.lane(call_us=1000)
    ledger.taken = ledger.next_one()
    return ledger


def test_a_batchs_own_url_goes_before_what_the_report_says(sent):
    sent.settle(sent.taken, "aa")
    post(sent, form(1, SmsSid="s1", CustomField="other:7"))
    assert deliveries(sent) == ["delivered", "awaiting"]


@pytest.mark.parametrize(("account", "matched"), [("main", 1), ("other", 0)])
def test_an_accounts_url_tells_of_the_campaigns_that_may_use_it_and_of_no_other(sent, account, matched):
    sent.settle(sent.taken, "uu", "lost")
    body = form(1, SmsSid="s1", CustomField="c:1", Status="failed", DetailedStatusCode="23020")
    applied = post(sent, body, account=account, campaign="", batch=0)
    assert (applied.matched, applied.unmatched) == (matched, 1 - matched)
    assert sent.counts()["unconfirmed"] == 2 - matched
    assert sent.redis.exists(keys.SUPPRESSION_LISTS) == matched
    assert sent.redis.zcard(keys.UNMATCHED) == 1 - matched
    assert sent.redis.zcard(keys.unmatched("c")) == 0
