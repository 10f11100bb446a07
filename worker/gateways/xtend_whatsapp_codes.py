"""What statuses and codes of Xtend's WhatsApp API mean for its one message, as data: what `xtend_whatsapp` reads.

The sources, named in each rule: "usual" is the section "Description of usual server responses" of Xtend's reference
(xtendonline.com/?p=22500); "meta" is the error page of WhatsApp's Cloud API, whose form Xtend's answers have, without
a word of Xtend's that its errors have it too; "ours" is a decision of this project where the reference is silent,
taken so that nobody is messaged twice.
"""

from worker.gateways.rules import Rule, Verdict

_OPEN = "then open the account"
_TEMPLATE = "check the template at Xtend, then resume the campaign"

BY_STATUS: dict[int, Rule] = {
    400: Rule(Verdict.ISOLATE, "Xtend refused the message as it stands", "", "usual: 400 Bad Request"),
    401: Rule(
        Verdict.HOLD_ACCOUNT,
        "Xtend refused the credentials",
        f"check api_key of the account, {_OPEN}",
        "usual: 401 Unauthorized",
    ),
    402: Rule(
        Verdict.HOLD_FOR_NOW, "Xtend wants to be paid", f"recharge it at Xtend, {_OPEN}", "ours: 402 is not listed"
    ),
    403: Rule(
        Verdict.HOLD_ACCOUNT,
        "Xtend forbids this call",
        f"check phone_number_id and rights of the account, {_OPEN}",
        "usual: 403 Forbidden",
    ),
    404: Rule(
        Verdict.HOLD_ACCOUNT,
        "Xtend does not know this address",
        f"check base_url and phone_number_id of the account, {_OPEN}",
        "usual: 404 Not Found",
    ),
    405: Rule(
        Verdict.HOLD_ACCOUNT,
        "Xtend does not take messages at this address",
        f"check base_url of the account, {_OPEN}",
        "usual: 405 Method Not Allowed",
    ),
    408: Rule(Verdict.LOST, "Xtend gave up waiting", "", "ours: whether it acted on the call is not said"),
    409: Rule(Verdict.LOST, "Xtend reports a conflict", "", "ours: acceptance is not known"),
    413: Rule(Verdict.ISOLATE, "the message is too large", "", "ours: refused for its size, so it was not accepted"),
    429: Rule(Verdict.THROTTLED, "too many calls", "", "ours: 429 is not listed; RFC 6585 section 4"),
    503: Rule(Verdict.THROTTLED, "Xtend is busy", "", "ours: 503 is not listed; RFC 9110 section 15.6.4"),
}
"""What a status means."""

BY_CLASS: dict[int, Rule] = {
    3: Rule(
        Verdict.HOLD_ACCOUNT,
        "Xtend sends the call elsewhere",
        f"check base_url of the account, {_OPEN}",
        "ours: a send is never repeated at another address",
    ),
    5: Rule(Verdict.LOST, "Xtend failed", "", "ours: acceptance is not known"),
}
"""What a class of statuses (its first digit) means, where the table above has no rule."""

UNLISTED = Rule(Verdict.LOST, "Xtend gave an answer that is not known", "", "ours: acceptance is not known")
"""What everything else means."""

THROTTLING: dict[str, str] = {
    "4": "API Too Many Calls",
    "80007": "Rate limit issues",
    "130429": "Rate limit hit",
    "131048": "Spam rate limit hit",
}
"""The codes of a throttle, which is no fault of the message (meta: throttling errors). 131056, too many
messages to one recipient, is not among them: others need not wait for it."""

BY_CODE: dict[str, Rule] = {
    **dict.fromkeys(THROTTLING, BY_STATUS[429]),
    "131031": Rule(
        Verdict.HOLD_ACCOUNT, "the account is locked", f"settle it with Xtend, {_OPEN}", "meta: Account has been locked"
    ),
    "131042": Rule(
        Verdict.HOLD_FOR_NOW,
        "the account can not pay",
        f"recharge it at Xtend, {_OPEN}",
        "meta: Business eligibility payment issue",
    ),
    "133010": Rule(
        Verdict.HOLD_ACCOUNT,
        "the sending number is not registered",
        f"check phone_number_id of the account, {_OPEN}",
        "meta: Phone number not registered",
    ),
    "368": Rule(
        Verdict.HOLD_ACCOUNT,
        "the account is blocked for breaking a policy",
        f"settle it with Xtend, {_OPEN}",
        "meta: Temporarily blocked for policies violations",
    ),
    "132001": Rule(Verdict.PAUSE_CAMPAIGN, "the template does not exist", _TEMPLATE, "meta: Template does not exist"),
    "132007": Rule(
        Verdict.PAUSE_CAMPAIGN,
        "the template breaks a policy",
        _TEMPLATE,
        "meta: Template Format Character Policy Violated",
    ),
    "132015": Rule(Verdict.PAUSE_CAMPAIGN, "the template is paused", _TEMPLATE, "meta: Template is Paused"),
    "132016": Rule(Verdict.PAUSE_CAMPAIGN, "the template is disabled", _TEMPLATE, "meta: Template is Disabled"),
}
"""The codes that say something of every call alike, with which a refusal is no fault of its one message: they go before
the statuses 400 and 404, and before an error that comes with a success."""

_LEFT_OPEN = frozenset({400, 404})
"""The statuses that leave open whose fault it is."""


def rule_for(status: int, code: str) -> Rule:
    """Look up the rule for a refused call; `code` is "" where the answer has none."""
    if status in _LEFT_OPEN and code in BY_CODE:
        return BY_CODE[code]
    return BY_STATUS.get(status) or BY_CLASS.get(status // 100) or UNLISTED
