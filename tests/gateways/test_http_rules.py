import pytest

from worker.gateways.http_rules import BY_STATUS, rule_for_status
from worker.gateways.rules import Verdict

HOLD, FOR_NOW, LOST = Verdict.HOLD_ACCOUNT, Verdict.HOLD_FOR_NOW, Verdict.LOST
ISOLATE, THROTTLED = Verdict.ISOLATE, Verdict.THROTTLED
TABLE = [
    (0, LOST), (100, LOST), (199, LOST), (300, HOLD), (301, HOLD), (307, HOLD), (400, ISOLATE), (401, HOLD),
    (402, FOR_NOW), (403, HOLD), (404, HOLD), (405, HOLD), (406, ISOLATE), (408, LOST), (409, LOST), (410, ISOLATE),
    (413, ISOLATE), (422, ISOLATE), (429, THROTTLED), (500, LOST), (502, LOST), (503, THROTTLED), (504, LOST),
    (599, LOST), (600, LOST), (999, LOST),
]  # fmt: skip


@pytest.mark.parametrize(("status", "verdict"), TABLE)
def test_a_status_that_is_no_success_has_one_verdict(status, verdict):
    rule = rule_for_status(status)
    assert rule.verdict is verdict
    assert bool(rule.advice) == (verdict in {HOLD, FOR_NOW})


def test_the_test_table_names_every_rule():
    assert set(BY_STATUS) <= {status for status, _ in TABLE}
