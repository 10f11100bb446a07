"""What a refusal's code says of the number, and on which list it goes."""

import pytest

from worker.domain.answers import Accepted, Rejected, Unconfirmed, Untaken
from worker.domain.batch import Message, Outgoing
from worker.domain.delivery import Feedback
from worker.domain.suppression import Reason, Scope, SuppressionList
from worker.gateways.feedback import feedback_of, unwelcome

EVERYTHING = (SuppressionList(), Reason.OPTED_OUT)
PROMOTION = (SuppressionList(scope=Scope.PROMOTIONAL), Reason.DND)
FIRST = 919000000001


@pytest.mark.parametrize(
    ("gateway", "code", "feedback"),
    [
        ("exotel-sms", "23005", Feedback.REFUSES_PROMOTION),
        ("exotel-sms", "23020", Feedback.OPTED_OUT),
        ("exotel-sms", "23080", Feedback.MISCONFIGURED),
        ("exotel-sms", "23010", Feedback.NOTHING),
        ("exotel-whatsapp", "30007", Feedback.THROTTLED),
        ("exotel-whatsapp", "23005", Feedback.NOTHING),
        ("xtend-sms", "168", Feedback.REFUSES_PROMOTION),
        ("xtend-sms", "216", Feedback.REFUSES_PROMOTION),
        ("xtend-sms", "952", Feedback.REFUSES_PROMOTION),
        ("xtend-sms", "0205", Feedback.OPTED_OUT),
        ("xtend-sms", "no code", Feedback.NOTHING),
        ("xtend-whatsapp", "952", Feedback.NOTHING),
        ("skycore-sms", "E114", Feedback.NOTHING),
    ],
)
def test_a_code_means_what_its_own_gateway_says(gateway, code, feedback):
    assert feedback_of(gateway, code) is feedback


def test_only_those_who_were_refused_for_refusing_messages_go_on_a_list():
    outcomes = (
        Rejected(code="23005", reason="FAILED_REJECTED_DND"),
        Rejected(code="23010", reason="FAILED_INVALID_DESTINATION_NUMBER"),
        Accepted(gateway_id="g", code="23005"),
        Unconfirmed(reason="no answer", code="23020"),
        Rejected(code="23020", reason="FAILED_REJECTED_BLACKLIST"),
        Rejected(code="23005", reason="FAILED_REJECTED_DND"),
        Untaken(code="23020", reason="for the account"),
    )
    messages = tuple(Message(to=FIRST + place, body="Hi") for place in range(len(outcomes)))
    outgoing = Outgoing(reference="c:1", sender="", options={}, messages=messages)
    assert unwelcome("exotel-sms", outgoing, outcomes) == {PROMOTION: [FIRST, FIRST + 5], EVERYTHING: [FIRST + 4]}
    assert unwelcome("skycore-sms", outgoing, outcomes) == {}
