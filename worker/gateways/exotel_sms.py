"""Exotel SMS: writes the three calls that send and reads their answers.

One call carries at most 100 messages. One message goes by the single send (`Sms/send` with `To`), many with one text
and the same options by the static bulk call (`Sms/send` with `To[]`), all others by the dynamic one (`Sms/bulksend`
with `Messages[i][…]`). What a refusal means stands in `exotel_codes`, what the entries of an answer mean in
`exotel_entries`. Nothing here is repeated, and no answer raises.
"""

from types import MappingProxyType
from typing import Final, Literal

from worker.domain.answers import (
    AllRejected,
    Answer,
    Call,
    Disposition,
    HoldAccount,
    Isolate,
    Lost,
    PauseCampaign,
    PerMessage,
    Throttled,
    Unconfirmed,
)
from worker.domain.batch import Outgoing
from worker.domain.ratelimit import retry_after_s
from worker.gateways.exotel_access import access
from worker.gateways.exotel_codes import REFUSED_503, Verdict, rule_for
from worker.gateways.exotel_documents import document_of, entries_from, refusal_of
from worker.gateways.exotel_entries import outcomes_of
from worker.gateways.exotel_form import BATCH_LIMIT, bulksend_form, is_for_all, send_form
from worker.gateways.exotel_words import discreet, named, with_words

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
        self._headers = MappingProxyType({**self.access.headers, "Content-Type": "application/x-www-form-urlencoded"})
        self._retry_503 = retry_503

    def write(self, outgoing: Outgoing) -> Call:
        """Write the call for 1 to 100 messages; every `To` is E.164 with its plus."""
        for_all = is_for_all(outgoing.messages)
        return Call(
            method="POST",
            url=self._send_url if for_all else self._bulksend_url,
            headers=self._headers,
            content=(send_form(outgoing) if for_all else bulksend_form(outgoing)).encode("ascii"),
        )

    def read(self, answer: Answer, outgoing: Outgoing) -> Disposition:
        """Tell what the answer means: the HTTP status first, then the code, then each message's entry."""
        document = document_of(answer.body)
        if answer.status // 100 == 2:  # noqa: PLR2004  (the class of success)
            return self._read_entries(answer, document, outgoing)
        code, message = refusal_of(answer, document)
        return self._judge(answer, code, self._discreet(message, outgoing))

    def _read_entries(self, answer: Answer, document: object, outgoing: Outgoing) -> Disposition:
        entries = entries_from(answer, document)
        if answer.status not in _ACCEPTING or entries is None:
            code, message = refusal_of(answer, document)
            what = named("Exotel's answer can not be read", answer.status, code)
            return Lost(reason=with_words(what, self._discreet(message, outgoing)), code=code)
        outcomes = outcomes_of(entries, outgoing.messages)
        if all(isinstance(outcome, Unconfirmed) for outcome in outcomes):
            return Lost(reason=f"Exotel's answer ({answer.status}) says of no message what became of it")
        return PerMessage(outcomes=outcomes)

    def _judge(self, answer: Answer, code: str, words: str) -> Disposition:
        rule = rule_for(answer.status, code)
        what = named(rule.what, answer.status, code)
        reason = with_words(f"{what}: {rule.advice}" if rule.advice else what, words)
        match self._under_policy(rule.verdict, answer, code):
            case Verdict.THROTTLED:
                return Throttled(code=code, reason=reason, retry_after_s=retry_after_s(answer))
            case Verdict.HOLD_ACCOUNT:
                return HoldAccount(code=code, reason=reason)
            case Verdict.PAUSE_CAMPAIGN:
                return PauseCampaign(code=code, reason=reason)
            case Verdict.ALL_REJECTED:
                return AllRejected(code=code, reason=rule.what)  # one reason for all, counted with its code
            case Verdict.ISOLATE:
                return Isolate(code=code, reason=reason)
            case Verdict.LOST:
                return Lost(reason=reason, code=code)

    def _under_policy(self, verdict: Verdict, answer: Answer, code: str) -> Verdict:
        """Apply `documented`: a bare 503 may come from a proxy after Exotel accepted; only a refusal throttles."""
        if answer.status != 503 or self._retry_503 == "any":  # noqa: PLR2004  (Service Unavailable)
            return verdict
        refused = code in REFUSED_503 or answer.headers.get("retry-after", "").strip()
        return verdict if refused else Verdict.LOST

    def _discreet(self, words: str, outgoing: Outgoing) -> str:
        if outgoing.callback_url:  # its token lets whoever has it report deliveries
            words = words.replace(outgoing.callback_url, "[callback]")
        return discreet(words, self.access.secrets, (message.body for message in outgoing.messages))
