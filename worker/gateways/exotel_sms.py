"""Exotel SMS: writes the three calls that send and reads their answers.

One call carries at most 100 messages. One message goes by the single send (`Sms/send` with `To`), many with one text
and the same options by the static bulk call (`Sms/send` with `To[]`), all others by the dynamic one (`Sms/bulksend`
with `Messages[i][…]`). What a refusal means stands in `exotel_codes`, what the entries of an answer mean in
`exotel_entries`. Nothing here is repeated, and no answer raises.
"""

from collections.abc import Sequence
from typing import Final, Literal

from worker.domain.answers import (
    AllRejected,
    Answer,
    Call,
    Disposition,
    Lost,
    MessageOutcome,
    PerMessage,
    Rejected,
    Unconfirmed,
)
from worker.domain.batch import Outgoing
from worker.domain.delivery import Feedback
from worker.gateways.exotel_access import access
from worker.gateways.exotel_codes import REFUSED_503, rule_for
from worker.gateways.exotel_deliveries import feedback_of
from worker.gateways.exotel_documents import entries_from
from worker.gateways.exotel_entries import outcomes_of
from worker.gateways.exotel_form import BATCH_LIMIT, bulksend_form, is_for_all, send_form
from worker.gateways.json_answer import read_json
from worker.gateways.rest_exception import rest_exception
from worker.gateways.rules import judged, named, with_words, without_bare_503

_ACCEPTING = frozenset({200, 202, 207})


class ExotelSms:
    """One Exotel account's SMS API. Its key and token leave it in the `Authorization` header only."""

    name: Final = "exotel-sms"
    batch_limit: Final = BATCH_LIMIT

    def __init__(
        self, base_url: str, sid: str, api_key: str, api_token: str, retry_503: Literal["any", "documented"]
    ) -> None:
        """Take the account's values, trusted: `base_url` has scheme and host and no credentials in it."""
        self.access: Final = access(base_url, sid, api_key, api_token)
        self.origin: Final = self.access.origin
        self._send_url = f"{self.access.root}/Sms/send.json"
        self._bulksend_url = f"{self.access.root}/Sms/bulksend.json"
        self._retry_503 = retry_503

    def write(self, outgoing: Outgoing) -> Call:
        """Write the call for 1 to 100 messages; every `To` is E.164 with its plus."""
        for_all = is_for_all(outgoing.messages)
        return Call(
            method="POST",
            url=self._send_url if for_all else self._bulksend_url,
            headers=self.access.headers,
            content=(send_form(outgoing) if for_all else bulksend_form(outgoing)).encode("ascii"),
        )

    def read(self, answer: Answer, outgoing: Outgoing) -> Disposition:
        """Tell what the answer means: the HTTP status first, then the code, then each message's entry."""
        document = read_json(answer.body)
        if answer.status // 100 == 2:  # noqa: PLR2004  (the class of success)
            return self._read_entries(answer, document, outgoing)
        code, message = rest_exception(answer, document)
        rule = rule_for(answer.status, code)
        if self._retry_503 == "documented":
            rule = without_bare_503(rule, answer, code, REFUSED_503)
        return judged(rule, answer, code, self._words(message, outgoing))

    def _read_entries(self, answer: Answer, document: object, outgoing: Outgoing) -> Disposition:
        entries = entries_from(answer, document)
        if answer.status not in _ACCEPTING or entries is None:
            code, message = rest_exception(answer, document)
            what = named("Exotel's answer can not be read", answer.status, code)
            return Lost(reason=with_words(what, self._words(message, outgoing)), code=code)
        outcomes = outcomes_of(entries, outgoing.messages)
        if all(isinstance(outcome, Unconfirmed) for outcome in outcomes):
            return Lost(reason=f"Exotel's answer ({answer.status}) says of no message what became of it")
        return _refused_for_the_campaign(outcomes) or PerMessage(outcomes=outcomes)

    def _words(self, message: str, outgoing: Outgoing) -> str:
        if outgoing.callback_url:  # its token lets whoever has it report deliveries
            message = message.replace(outgoing.callback_url, "[callback]")
        words = self.access.discretion.discreet(message, (each.body for each in outgoing.messages))
        return f"Exotel says: {words}" if words else ""


def _refused_for_the_campaign(outcomes: Sequence[MessageOutcome]) -> AllRejected | None:
    """Tell that every message was refused for sender, entity or template: were it so with all calls, none should go."""
    refusals = tuple(outcome for outcome in outcomes if isinstance(outcome, Rejected))
    if len(refusals) < len(outcomes) or any(feedback_of(each.code) is not Feedback.MISCONFIGURED for each in refusals):
        return None
    return AllRejected(code=refusals[0].code, reason=refusals[0].reason, each=refusals)
