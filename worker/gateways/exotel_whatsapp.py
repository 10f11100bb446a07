"""Exotel WhatsApp: writes the call for up to 100 messages and reads its answer.

What a refusal of the whole call means stands in `exotel_whatsapp_codes`, what the items of an answer say in
`exotel_whatsapp_items`. Nothing here is repeated, and no answer raises.
"""

from collections.abc import Sequence
from typing import Final, Literal
from urllib.parse import quote

import orjson

from worker.domain.answers import (
    AllRejected,
    Answer,
    Call,
    Disposition,
    HoldAccount,
    Lost,
    PerMessage,
    Rejected,
    Throttled,
    Unconfirmed,
    Untaken,
)
from worker.domain.batch import Outgoing
from worker.gateways.basic_access import basic_access
from worker.gateways.exotel_whatsapp_codes import BY_STATUS, OF_THE_ACCOUNT, THROTTLING, rule_for
from worker.gateways.exotel_whatsapp_items import Item, Judged, failure_of, items_of, judged_items
from worker.gateways.json_answer import read_json
from worker.gateways.rest_exception import rest_exception
from worker.gateways.rules import judged, named, with_words, without_bare_503
from worker.gateways.whatsapp_texts import texts_of

BATCH_LIMIT: Final = 100


def check_sender(sender: str) -> str:
    """Say what is wrong with a campaign's `from`, "" for nothing: the reference calls it mandatory for every message.

    Source: Exotel's WhatsApp reference, table of POST parameters.
    """
    return "" if sender else "is missing: every message names the number that sends it"


class ExotelWhatsApp:
    """One Exotel account's WhatsApp API. Its key and token leave it in the `Authorization` header only."""

    name: Final = "exotel-whatsapp"
    batch_limit: Final = BATCH_LIMIT

    def __init__(
        self, base_url: str, sid: str, api_key: str, api_token: str, retry_503: Literal["any", "documented"]
    ) -> None:
        """Take the account's values, trusted: `base_url` has scheme and host and no credentials in it."""
        access = basic_access(base_url, api_key, api_token, "application/json")
        self.origin: Final = access.origin
        self._headers, self._discretion = access.headers, access.discretion
        self._url = f"{base_url.rstrip('/')}/v2/accounts/{quote(sid, safe='')}/messages"
        self._retry_503 = retry_503

    def write(self, outgoing: Outgoing) -> Call:
        """Write the call for 1 to 100 messages whose bodies are content objects as JSON.

        Reference, tables of POST parameters: `from` is mandatory there, and left out where nobody gave it, for Exotel
        to refuse. `custom_data` comes back in each delivery report: "reference:place".
        """
        call: dict[str, object] = {"custom_data": outgoing.reference}
        if outgoing.callback_url:
            call["status_callback"] = outgoing.callback_url
        messages: list[dict[str, object]] = []
        for place, message in enumerate(outgoing.messages):
            sender = message.options.get("from") or outgoing.sender
            messages.append(
                {
                    "custom_data": f"{outgoing.reference}:{place}",
                    **({"from": sender} if sender else {}),
                    "to": f"+{message.to}",
                    # Half a surrogate pair has no UTF-8: one broken emoji becomes "?", and the batch goes.
                    "content": orjson.Fragment(message.body.encode("utf-8", "replace")),
                }
            )
        call["whatsapp"] = {"messages": messages}
        return Call(method="POST", url=self._url, headers=self._headers, content=orjson.dumps(call))

    def read(self, answer: Answer, outgoing: Outgoing) -> Disposition:
        """Tell what the answer means: each message's item where there are items, else the HTTP status."""
        document = read_json(answer.body)
        items = items_of(document)
        if items:
            return self._read_items(answer, items, outgoing)
        code, said = _refusal(answer, document)
        words = self._words(said, outgoing)
        if answer.status // 100 == 2:  # noqa: PLR2004  (the class of success)
            what = named("Exotel's answer can not be read", answer.status, code)
            return Lost(reason=with_words(what, words), code=code)
        rule = rule_for(answer.status)
        if self._retry_503 == "documented":
            rule = without_bare_503(rule, answer, code, THROTTLING)
        return judged(rule, answer, code, words)

    def _read_items(self, answer: Answer, items: Sequence[Item], outgoing: Outgoing) -> Disposition:
        messages = outgoing.messages
        if len(items) != len(messages):  # nobody's place is certain, so nobody's refusal is
            return Lost(reason=f"Exotel's answer ({answer.status}) has not one item a message")
        found = judged_items(
            items, lambda place, said: self._discretion.discreet(said, texts_of(messages[place].body)) if said else ""
        )
        outcomes, account = tuple(each.outcome for each in found), _account_of(answer, found)
        if account and all(isinstance(outcome, Untaken) for outcome in outcomes):
            return account
        return _refused_alike(answer, found) or PerMessage(outcomes=outcomes, account=account)

    def _words(self, said: str, outgoing: Outgoing) -> str:
        if not said:
            return ""
        texts = (text for message in outgoing.messages for text in texts_of(message.body))
        return f"Exotel says: {self._discretion.discreet(said, texts)}"


def _refused_alike(answer: Answer, found: Sequence[Judged]) -> Disposition | None:
    """Tell what a whole batch of failures means; `None` where some message has an outcome of its own."""
    if all(isinstance(each.outcome, Unconfirmed) for each in found):
        return Lost(reason=f"Exotel's answer ({answer.status}) says of no message that it was taken or refused")
    refusals = tuple(each.outcome for each in found if isinstance(each.outcome, Rejected))
    first = refusals[0] if len(refusals) == len(found) else None
    if first and all(refusal.code == first.code for refusal in refusals):  # their words may name a place
        return AllRejected(code=first.code, reason=first.reason, each=refusals)
    return None


def _account_of(answer: Answer, found: Sequence[Judged]) -> Throttled | HoldAccount | None:
    """Tell what messages that were not taken mean for the account; `None` where there are none.

    A hold goes before a throttle, and the first of its codes before the others.
    """
    untaken = [(each.outcome, each.codes) for each in found if isinstance(each.outcome, Untaken)]
    if not untaken:
        return None
    held = min((code for _, codes in untaken for code in codes & OF_THE_ACCOUNT), default="")
    first = next(outcome for outcome, codes in untaken if not held or held in codes)
    account = judged(BY_STATUS[int(held or 429)], answer, held or first.code, f"Exotel says: {first.reason}")
    return account if isinstance(account, Throttled | HoldAccount) else None


def _refusal(answer: Answer, document: object) -> tuple[str, str]:
    """Find code and words of a refused call; the reference shows no such answer, so the likely places are tried."""
    code, said = rest_exception(answer, document)
    response = document.get("response") if isinstance(document, dict) else None
    for place in (document, response):
        for key in ("error_data", "error"):
            if not (code or said) and isinstance(place, dict):
                code, said = failure_of(place.get(key))
    return code, said
