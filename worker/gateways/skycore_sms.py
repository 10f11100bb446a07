"""Skycore SMS: writes the JSON action `sendsms` for one recipient and reads its answer.

`status` in the answer tells success from failure, whatever the case of its letters; the HTTP status of a failure is
not documented, so it goes first only where it leaves no doubt. Nothing here is repeated, and no answer raises.
"""

import re
from types import MappingProxyType
from typing import Final, Literal, NamedTuple
from urllib.parse import urlsplit

import orjson

from worker.domain.answers import Accepted, AllRejected, Answer, Call, Disposition, Lost, PerMessage, Rejected
from worker.domain.batch import Outgoing
from worker.domain.identity import same_number
from worker.gateways.discretion import Discretion
from worker.gateways.http_rules import rule_for_status
from worker.gateways.json_answer import code_of, read_json, text_of
from worker.gateways.rules import Rule, Verdict, judged, named, with_words, without_bare_503
from worker.gateways.skycore_codes import OF_CALL, OF_MESSAGE

LONGEST_MASK: Final = 11
"""Characters of a sender's name (Send SMS API V2, synopsis); Skycore would cut a longer one off."""

_NUMBER = re.compile(r"\+?[0-9]+", re.ASCII)
_ID = re.compile(r"[0-9A-Za-z_.:-]{1,128}", re.ASCII)
_NO_CODE = Rule(Verdict.ISOLATE, "Skycore refused the call without a code", "", "ours: nothing was accepted")
_UNKNOWN_CODE = "Skycore refused it with a code that is not known"


def check_sender(sender: str) -> str:
    """Say what is wrong with a campaign's `from`, "" for nothing: a number, or a name of at most 11 characters."""
    if _NUMBER.fullmatch(sender) or len(sender) <= LONGEST_MASK:
        return ""
    return f"is {len(sender)} characters long: a sender's name has at most {LONGEST_MASK} at Skycore, which cuts it off"


def check_number(sender: str, sender_number: str) -> str:
    """Say what a call lacks whose sender is a name, or none, "" for nothing: `from` is mandatory, and a number.

    Source: Send SMS API V2, "Request Parameters".
    """
    if sender_number or _NUMBER.fullmatch(sender):
        return ""
    what = "is a name" if sender else "is missing"
    return f"{what}: Skycore needs a number as well, as sender_number of the account"


class _Said(NamedTuple):
    """What an answer says; "" for what it leaves out. `words` are the gateway's own, discreet."""

    state: str
    code: str
    gateway_id: str
    words: str
    is_of_another: bool


class SkycoreSms:
    """One Skycore account's SMS API. Its key leaves it in the `x-api-key` header only."""

    name: Final = "skycore-sms"
    batch_limit: Final = 1

    def __init__(
        self, endpoint_url: str, api_key: str, sender_number: str, retry_503: Literal["any", "documented"]
    ) -> None:
        """Take the account's values, trusted. `sender_number` sends where a sender is a name; "" for none."""
        place = urlsplit(endpoint_url)
        self.origin: Final = f"{place.scheme}://{place.netloc}"
        self._url = endpoint_url
        self._headers = MappingProxyType({"x-api-key": api_key, "Content-Type": "application/json"})
        self._sender_number = sender_number
        self._retry_503 = retry_503
        self._discretion = Discretion(api_key)

    def write(self, outgoing: Outgoing) -> Call:
        """Write the POST for the one message (Send SMS API V2, "Request Parameters").

        `campaign-ref` is the campaign's option `campaign_ref`, for accounts that enforce it, else our own reference.
        """
        (message,) = outgoing.messages
        options = {**outgoing.options, **message.options}
        sender = options.get("from") or outgoing.sender
        is_number = _NUMBER.fullmatch(sender) is not None
        fields = {
            "action": "sendsms",
            "message-text": message.body,
            "to": f"+{message.to}",
            "from": sender if is_number else self._sender_number,
            "from-mask": "" if is_number else sender,
            "campaign-ref": options.get("campaign_ref") or outgoing.reference,
        }
        document: dict[str, str | bool] = {name: _encodable(text) for name, text in fields.items() if text}
        if options.get("click_tracking"):
            document["click-tracking"] = options["click_tracking"].casefold() == "true"
        return Call(method="POST", url=self._url, headers=self._headers, content=orjson.dumps(document))

    def read(self, answer: Answer, outgoing: Outgoing) -> Disposition:
        """Tell what the answer means: the HTTP status first, then `status`, then the code."""
        said = self._said(answer, outgoing)
        if answer.status // 100 == 2:  # noqa: PLR2004  (the class of success)
            return _read_success(answer, said)
        rule = rule_for_status(answer.status)
        if rule.verdict is Verdict.ISOLATE and said.state == "failure" and said.code and not said.is_of_another:
            return _of_code(answer, said)
        if self._retry_503 == "documented":
            rule = without_bare_503(rule, answer, said.code, frozenset())
        return judged(rule, answer, said.code, said.words)

    def _said(self, answer: Answer, outgoing: Outgoing) -> _Said:
        document = read_json(answer.body)
        if not isinstance(document, dict):
            document = {}
        words = self._discretion.discreet(
            text_of(document.get("error-info")), (message.body for message in outgoing.messages)
        )
        # The samples spell the number with and without its plus. What has no digit names nobody.
        echo = text_of(document.get("to"))
        names_somebody = any(character.isdigit() for character in echo)
        return _Said(
            state=text_of(document.get("status")).casefold(),
            code=code_of(document.get("error-code")).upper(),
            gateway_id=text_of(document.get("tracking-id")),
            words=f"Skycore says: {words}" if words else "",
            is_of_another=names_somebody and not any(same_number(echo, message.to) for message in outgoing.messages),
        )


def _read_success(answer: Answer, said: _Said) -> Disposition:
    if said.is_of_another:
        what = "Skycore's answer is about another number"
    elif said.state == "failure":
        return _of_code(answer, said)
    elif said.state == "success" and _ID.fullmatch(said.gateway_id):
        return PerMessage(outcomes=(Accepted(gateway_id=said.gateway_id),))
    else:
        what = "Skycore's answer shows neither an id nor a failure"
    return Lost(reason=with_words(named(what, answer.status, said.code), said.words), code=said.code)


def _of_code(answer: Answer, said: _Said) -> Disposition:
    if said.code in OF_MESSAGE:
        return PerMessage(outcomes=(Rejected(code=said.code, reason=OF_MESSAGE[said.code].reason),))
    if said.code and said.code not in OF_CALL:
        # Counted as a call that was refused whole: were it a mistake of ours, twenty such pause the campaign.
        return AllRejected(code=said.code, reason=_UNKNOWN_CODE)
    return judged(OF_CALL.get(said.code, _NO_CODE), answer, said.code, said.words)


def _encodable(text: str) -> str:
    """Half a surrogate pair has no UTF-8: one broken emoji becomes "?" rather than stopping its message."""
    return text.encode("utf-8", "replace").decode()
