"""What the codes of Exotel's WhatsApp API mean for a call and for a message, as data: what `exotel_whatsapp` reads.

The sources, named in each rule: "codes" is the table "HTTP Error Codes" of Exotel's WhatsApp reference
(developer.exotel.com/api/whatsapp), "callback" its table "Detailed Status Code"; "ours" is a decision of this project
where the reference is silent, taken so that nobody is messaged twice.
"""

from worker.gateways import exotel_codes
from worker.gateways.rules import Rule, Verdict

_OPEN = "then open the account"

BY_STATUS: dict[int, Rule] = {
    400: Rule(Verdict.ISOLATE, "Exotel refused the call as it stands", "", "codes: 400 Bad Request"),
    401: Rule(
        Verdict.HOLD_ACCOUNT,
        "Exotel refused the credentials",
        f"check api_key and api_token of the account, {_OPEN}",
        "codes: 401 Unauthorized",
    ),
    402: Rule(
        Verdict.HOLD_FOR_NOW,
        "the account's plan does not allow this, or is used up",
        f"recharge or extend the plan at Exotel, {_OPEN}",
        "codes: 402 Payment Required",
    ),
    403: Rule(
        Verdict.HOLD_ACCOUNT,
        "Exotel forbids this call",
        f"check sid, region and rights of the account and its WhatsApp number, {_OPEN}",
        "codes: 403 valid credentials without access to the resource",
    ),
    404: Rule(
        Verdict.HOLD_ACCOUNT,
        "Exotel does not know this address",
        f"check base_url, region and sid of the account, {_OPEN}",
        "codes: 404 Not Found",
    ),
    405: Rule(
        Verdict.HOLD_ACCOUNT,
        "Exotel does not take messages at this address",
        f"check base_url, region and sid of the account, {_OPEN}",
        "ours: not listed; RFC 9110 section 15.5.6",
    ),
    408: Rule(Verdict.LOST, "Exotel gave up waiting", "", "ours: how much of the call it acted on is not said"),
    409: Rule(Verdict.LOST, "Exotel reports a conflict", "", "ours: acceptance is not known"),
    413: Rule(Verdict.ISOLATE, "the call is too large", "", "ours: refused for its size, so nothing was accepted"),
    429: Rule(Verdict.THROTTLED, "too many calls", "", "ours: not listed for WhatsApp, documented for Exotel's SMS"),
    503: Rule(Verdict.THROTTLED, "Exotel is busy", "", "ours: documented for Exotel's SMS as a throttle"),
}
"""What a status means for a call whose answer lists no messages."""

BY_CLASS: dict[int, Rule] = {
    3: exotel_codes.BY_CLASS[3],
    5: Rule(Verdict.LOST, "Exotel failed", "", "codes: 5xx Server Errors; ours: acceptance is not known"),
}
"""What a class of statuses (its first digit) means, where the table above has no rule."""

UNLISTED = Rule(Verdict.LOST, "Exotel gave an answer that is not known", "", "ours: acceptance is not known")
"""What everything else means."""

THROTTLING = frozenset({"429", "503", "30007", "30008", "30009"}) | exotel_codes.REFUSED_503
"""The codes of a message that was refused for going too fast (callback: EX_RATE_LIMIT_HIT, EX_SPAM_RATE_LIMIT_HIT,
EX_TOO_MANY_REQUEST; the rest as in `BY_STATUS` and at Exotel's SMS)."""

OF_THE_ACCOUNT = frozenset({"401", "402", "403"})
"""The codes of a message that say nothing of the message (codes: credentials, plan, access)."""


UNCLEAR = frozenset({"408", "409"})
"""The codes of a message that do not say that it was not accepted, beside 5xx: see `BY_STATUS`."""


def rule_for(status: int) -> Rule:
    """Look up what a status means for a call whose answer lists no messages."""
    return BY_STATUS.get(status) or BY_CLASS.get(status // 100) or UNLISTED
