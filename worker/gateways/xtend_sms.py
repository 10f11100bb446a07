"""Xtend SMS: writes the call for one recipient and recognises its answer.

The answer's form is not documented, so the account's own patterns recognise it; what matches none is unconfirmed.
What a code means stands in `xtend_codes`, what an HTTP status means in `http_rules`. Nothing here is repeated, and no
answer raises.
"""

import re
from types import MappingProxyType
from typing import Final, Literal, NamedTuple, assert_never
from urllib.parse import quote, urlsplit

from worker.domain.alphabet import is_gsm
from worker.domain.answers import Accepted, AllRejected, Answer, Call, Disposition, Isolate, Lost, PerMessage, Rejected
from worker.domain.batch import Outgoing
from worker.domain.identity import same_number
from worker.gateways.discretion import Discretion
from worker.gateways.form import escaped
from worker.gateways.http_rules import rule_for_status
from worker.gateways.json_answer import code_of
from worker.gateways.rules import Rule, Verdict, judged, named, with_words, without_bare_503
from worker.gateways.xtend_codes import CodeClass, Meaning, code_described, meaning_of, meanings

_PATH = "/blank/sms/user/urlsms.php"
_DLT = {"dlt_entity_id": "dltentityid", "dlt_template_id": "dlttempid"}

_ID = re.compile(r"[0-9A-Za-z_.:-]{1,128}", re.ASCII)
_PAGE = re.compile(r"\s*<(?:!doctype|html)\b", re.IGNORECASE)
_VARYING = re.compile(r"[0-9A-Za-z_-]*[0-9][0-9A-Za-z_-]*")
_LONGEST_ANSWER = 10_000

_SOURCE = "error table: its class in xtend_codes.tsv"
_TOO_FAST = Rule(Verdict.THROTTLED, "Xtend is asked too fast", "", _SOURCE)
_ADVICE = {
    Verdict.HOLD_ACCOUNT: "settle it with Xtend, then open the account",
    Verdict.HOLD_FOR_NOW: "recharge it at Xtend",
    Verdict.PAUSE_CAMPAIGN: "check sender, DLT ids, template and hours of the campaign, then resume it",
    Verdict.ISOLATE: "",
}
_UNKNOWN_CODE = "Xtend refused it with a code that its document does not have"


def check_sender(sender: str) -> str:
    """Say what is wrong with a campaign's `from`, "" for nothing: it is the `senderid` of every call ("Parameters")."""
    return "" if sender else "is missing: every call names its sender"


class AnswerPatterns(NamedTuple):
    """How to recognise an answer: the code of an error, the words of a refusal without one, the id of a message.

    Of each, the first group that matches counts. They are asked in this order.
    """

    error: re.Pattern[str]
    words: re.Pattern[str]
    id: re.Pattern[str]


class XtendSms:
    """One Xtend account's SMS API. Its password leaves it in the body of a POST only."""

    name: Final = "xtend-sms"
    batch_limit: Final = 1

    def __init__(
        self,
        base_url: str,
        username: str,
        password: str,
        dlt_header_id: str,
        patterns: AnswerPatterns,
        retry_503: Literal["any", "documented"],
    ) -> None:
        """Take the account's values, trusted; the documented path is added to a `base_url` that has none."""
        place = urlsplit(base_url)
        self.origin: Final = f"{place.scheme}://{place.netloc}"
        self._url = base_url if place.path.strip("/") else f"{self.origin}{_PATH}"
        self._headers = MappingProxyType({"Content-Type": "application/x-www-form-urlencoded"})
        self._login = f"username={escaped(username)}&pass={escaped(password)}"
        self._header_id = dlt_header_id
        self._patterns = patterns
        self._retry_503 = retry_503
        self._discretion = Discretion(*sorted({password, escaped(password), quote(password)}, key=len, reverse=True))
        meanings()  # read now, and not while an answer waits

    def write(self, outgoing: Outgoing) -> Call:
        """Write the POST for the one message (document: "Parameters"); its number goes without a plus."""
        (message,) = outgoing.messages
        options = {**outgoing.options, **message.options}
        fields = [
            ("senderid", message.options.get("from") or outgoing.sender),
            ("dest_mobileno", str(message.to)),
            ("message", message.body),
            ("msgtype", "TXT" if is_gsm(message.body) else "UNI"),
            ("dltheaderid", self._header_id),
            *((parameter, options.get(name, "")) for name, parameter in _DLT.items()),
            ("response", "Y"),
        ]
        form = "&".join([self._login, *(f"{key}={escaped(text)}" for key, text in fields if text)])
        return Call(method="POST", url=self._url, headers=self._headers, content=form.encode("ascii"))

    def read(self, answer: Answer, outgoing: Outgoing) -> Disposition:
        """Tell what the answer means: the HTTP status first, then the code, the words and the id that it shows.

        Words that the document has as a code's description stand for that code.
        """
        text = answer.body[:_LONGEST_ANSWER].decode("utf-8", "replace")
        if _PAGE.match(text):
            text = ""  # a proxy's page: its "error 502" is none of Xtend's codes
        code = code_of(_found(self._patterns.error, text)) or code_described(_found(self._patterns.words, text))
        meaning = meaning_of(code)
        if answer.status // 100 == 2:  # noqa: PLR2004  (the class of success)
            return self._read_success(answer, outgoing, text, code, meaning)
        rule = rule_for_status(answer.status)
        if rule.verdict is Verdict.ISOLATE and meaning and meaning.code_class is not CodeClass.UNCLEAR:
            return _of_code(answer, code, meaning)
        if self._retry_503 == "documented":
            rule = without_bare_503(rule, answer, code, frozenset())
        return judged(rule, answer, code, self._words(text, outgoing))

    def _read_success(
        self, answer: Answer, outgoing: Outgoing, text: str, code: str, meaning: Meaning | None
    ) -> Disposition:
        if meaning and meaning.code_class is not CodeClass.UNCLEAR:
            return _of_code(answer, code, meaning)
        if code and not meaning:
            # Counted as a call that was refused whole: were it a mistake of ours, twenty such pause the campaign.
            return AllRejected(code=code, reason=_UNKNOWN_CODE)
        refusal = "" if code else _found(self._patterns.words, text)
        if refusal:
            reason = with_words(named("Xtend refused the call", answer.status, ""), self._words(refusal, outgoing))
            return Isolate(code="", reason=reason)
        gateway_id = _found(self._patterns.id, text)
        if _ID.fullmatch(gateway_id) and not any(same_number(gateway_id, message.to) for message in outgoing.messages):
            return PerMessage(outcomes=(Accepted(gateway_id=gateway_id, code=code),))
        what = meaning.text if meaning else "Xtend's answer matches none of the account's patterns"
        return Lost(reason=with_words(named(what, answer.status, code), self._words(text, outgoing)), code=code)

    def _words(self, words: str, outgoing: Outgoing) -> str:
        """Show the answer's own words without what differs in each: reasons are counted, and should be few."""
        shown = self._discretion.discreet(words, (message.body for message in outgoing.messages))
        return f"Xtend says: {_VARYING.sub('#', shown)}" if shown else ""


def _of_code(answer: Answer, code: str, meaning: Meaning) -> Disposition:
    match meaning.code_class:
        case CodeClass.RECIPIENT | CodeClass.TEMPORARY:
            return PerMessage(outcomes=(Rejected(code=code, reason=meaning.text),))
        case CodeClass.THROTTLE:
            return judged(_TOO_FAST, answer, code, meaning.text)
        case CodeClass.ACCOUNT:
            # 501 and 955: whoever recharges need not open the account as well.
            no_balance = "balance" in meaning.text.casefold()
            verdict = Verdict.HOLD_FOR_NOW if no_balance else Verdict.HOLD_ACCOUNT
        case CodeClass.CAMPAIGN:
            verdict = Verdict.PAUSE_CAMPAIGN
        case CodeClass.MESSAGE:
            verdict = Verdict.ISOLATE
        case CodeClass.UNCLEAR:
            return Lost(reason=named(meaning.text, answer.status, code), code=code)
        case _:
            assert_never(meaning.code_class)
    return judged(Rule(verdict, f"Xtend says: {meaning.text}", _ADVICE[verdict], _SOURCE), answer, code, "")


def _found(pattern: re.Pattern[str], text: str) -> str:
    """Give the first group of the pattern that matches, "" where none does."""
    match = pattern.search(text)
    return next((group.strip() for group in match.groups() if group), "") if match else ""
