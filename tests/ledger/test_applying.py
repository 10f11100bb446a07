"""Posted bodies on their way from the stream to the messages that they are about, on the real server."""

from itertools import permutations
from urllib.parse import urlencode

import pytest
import redis
from structlog.testing import capture_logs

from config.account_models import ExotelSmsAccount
from worker.applying import AT_ONCE, apply_waiting
from worker.domain.delivery import DeliveryReport
from worker.ledger import keys
from worker.ledger.inbox import Posted, append_reports, waiting
from worker.ledger.receiving import Addressed
from worker.ledger.unmatched import EARLY_KEPT, early_reports

from .test_races import Slow

ACCOUNTS = {
    name: ExotelSmsAccount(name=name, gateway="exotel-sms", sid=name, api_key="k", api_token="t")
    for name in ("main", "other")
}


def form(row=None, **fields):
    to = {} if row is None else {"To": f"+{919_000_000_000 + row}"}
    return urlencode({"Status": "sent", "DetailedStatusCode": "20005"} | to | fields).encode()


def post(ledger, body, *, account="main", campaign="c", batch=1):
    """A gateway posts this body to a batch's URL, or to the account's, and a worker applies it."""
    posted = Posted(account=account, campaign=campaign, batch=batch, body=body)
    ledger.run(append_reports(ledger.aredis, [posted]))
    return apply(ledger)


def apply(ledger, client=None):
    applied = apply_waiting(client or ledger.redis, ACCOUNTS, "w", remember_hours=0)
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


def unmatched(ledger):
    return ledger.redis.zcard(keys.unmatched("c"))


def test_a_report_of_an_id_alone_counts_when_the_answer_names_that_id(sent):
    post(sent, form(SmsSid="s2"))
    assert unmatched(sent) == 1
    sent.settle(sent.taken, "aa", gateway_ids=["s1", "s2"])
    assert waiting(sent.redis) == 1  # the sweep rings for it
    assert apply(sent).matched == 1
    assert (deliveries(sent), unmatched(sent)) == (["awaiting", "delivered"], 0)
    assert sent.differences() == ()


def test_a_report_of_an_id_alone_waits_for_a_late_answer(sent):
    sent.sweep()
    post(sent, form(SmsSid="s2"))
    sent.pass_sweeping()
    assert apply(sent).bodies == 0
    assert sent.settle(sent.taken, "aa", gateway_ids=["s1", "s2"]) == "late"
    apply(sent)
    assert (deliveries(sent), unmatched(sent)) == (["awaiting", "delivered"], 0)


def test_a_report_that_is_overtaken_by_the_answer_is_looked_at_again(sent):
    posted = Posted(account="main", campaign="c", batch=1, body=form(SmsSid="s2"))
    sent.run(append_reports(sent.aredis, [posted]))
    apply(sent, Slow(sent.redis, lambda: sent.settle(sent.taken, "aa", gateway_ids=["s1", "s2"])))
    assert (deliveries(sent), unmatched(sent)) == (["awaiting", "delivered"], 0)


def test_reports_that_tell_several_ids_ask_once_for_a_batchs_early_reports(sent):
    post(sent, form(SmsSid="s3"))
    both = [DeliveryReport(state="sent", gateway_id=f"s{row}", to=f"+91900000000{row}") for row in (1, 2)]
    sent.receive([Addressed(campaign="c", batch=1, report=each) for each in both])
    assert waiting(sent.redis) == 1


def test_early_reports_that_are_asked_for_several_times_are_looked_at_once(sent):
    post(sent, form(SmsSid="s2"))
    sent.settle(sent.taken, "aa", gateway_ids=["s1", "s2"])
    (again,) = sent.redis.xrange(keys.REPORTS)
    for _ in range(3):
        sent.redis.xadd(keys.REPORTS, again[1])
    sent.redis.config_resetstat()
    applied = apply(sent)
    assert (applied.bodies, applied.matched) == (4, 1)
    assert sent.redis.info("commandstats")["cmdstat_smembers"]["calls"] == 1


def test_an_early_report_is_kept_until_it_matches(sent):
    post(sent, form(SmsSid="s1"))
    post(sent, form(SmsSid="s2"))
    post(sent, form(1, SmsSid="s1", Status="submitted", DetailedStatusCode="21020"))
    assert [report.gateway_id for report in early_reports(sent.redis, "c", 1)] == ["s2"]
    sent.settle(sent.taken, "aa", gateway_ids=["s1", "s2"])
    apply(sent)
    assert not sent.redis.exists(keys.early("c", 1))
    assert deliveries(sent) == ["delivered", "delivered"]


def test_an_id_that_the_answer_to_another_call_gives_matches_nothing_and_is_asked_for_once(sent):
    post(sent, form(SmsSid="gone"))
    sent.back(sent.taken)
    sent.settle(sent.next_one(), "aa", gateway_ids=["s1", "s2"])
    assert apply(sent).unmatched == 1
    assert (deliveries(sent), unmatched(sent)) == (["awaiting", "awaiting"], 1)


def test_early_reports_are_kept_for_a_day_and_no_more_of_them_than_a_batch_can_need(sent):
    for i in range(EARLY_KEPT + 2):
        post(sent, form(SmsSid=f"x{i}"))
    assert sent.redis.scard(keys.early("c", 1)) == EARLY_KEPT
    assert 86_000 < sent.redis.ttl(keys.early("c", 1)) <= 86_400


def test_once_every_message_has_its_id_no_report_of_another_is_kept(sent):
    sent.settle(sent.taken, "ar", gateway_ids=["s1", ""])
    assert post(sent, form(SmsSid="s2")).unmatched == 1
    assert not sent.redis.exists(keys.early("c", 1))


def test_what_was_applied_before_redis_went_away_is_told_and_the_rest_waits(sent):
    class Leaving:
        """A client whose server is away when one body is left."""

        def xautoclaim(self, *args, **options):
            if waiting(sent.redis) == 1:
                raise redis.ConnectionError("away")
            return sent.redis.xautoclaim(*args, **options)

        def __getattr__(self, name):
            return getattr(sent.redis, name)

    posts = [Posted(account="main", campaign="c", batch=1, body=form(1, SmsSid="s1", At=i)) for i in range(AT_ONCE + 1)]
    sent.run(append_reports(sent.aredis, posts))
    with capture_logs() as logged:
        applied = apply_waiting(Leaving(), ACCOUNTS, "w", remember_hours=0)
    assert (applied.bodies, applied.matched) == (AT_ONCE, AT_ONCE)
    assert [(each["event"], each["log_level"], each["why"]) for each in logged] == [
        ("ledger.away", "warning", "Redis does not answer: away")
    ]
    assert waiting(sent.redis) == 1


STEPS = {
    "by id": {"SmsSid": "s2"},
    "failed, by id": {"SmsSid": "s2", "Status": "failed", "DetailedStatusCode": "23035"},
    "by number": {"SmsSid": "s2", "To": "+919000000002", "Status": "submitted", "DetailedStatusCode": "21020"},
}


@pytest.mark.parametrize("letters", ["aa", "uu"])
def test_the_end_is_the_same_for_every_order_of_reports_by_id_and_by_number_and_the_answer(ledger, letters):
    ends = set()
    for order in permutations([*STEPS, "answer"]):
        ledger.wipe()
        ledger.campaign(2)
        ledger.lane(call_us=1000)
        taken = ledger.next_one()
        for step in order:
            if step == "answer":
                ledger.settle(taken, letters, gateway_ids=["s1", "s2"])
                apply(ledger)
            else:
                post(ledger, form(**STEPS[step]))
        fates = [(row.outcome, row.delivery, row.delivery_code, row.gateway_id) for row in ledger.rows()]
        ends.add((tuple(fates), tuple(sorted(ledger.counts().items())), unmatched(ledger)))
    ((fates, _, left),) = ends
    assert (fates[1], left) == (("accepted", "delivered", "20005", "s2"), 0)
