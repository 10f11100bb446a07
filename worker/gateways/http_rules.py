"""What an HTTP status means where a gateway's own document says little of it.

The status goes before the gateway's code: only a success and a refusal of the call as it stands leave the answer
itself to say more. Sources: "xtend" is the list "Description of usual server responses" in Xtend's document, "http"
RFC 9110, "ours" a decision of this project, taken so that nobody is messaged twice and no recipient pays for a
mistake of the account's.
"""

from worker.gateways.rules import Rule, Verdict

_OPEN = "then open the account"

BY_STATUS: dict[int, Rule] = {
    401: Rule(
        Verdict.HOLD_ACCOUNT,
        "the gateway refused the credentials",
        f"check those of the account, {_OPEN}",
        "xtend: authentication failed or user doesn't have permissions",
    ),
    402: Rule(
        Verdict.HOLD_FOR_NOW,
        "the gateway wants to be paid",
        f"recharge the account at the gateway, {_OPEN}",
        "http: 402 Payment Required",
    ),
    403: Rule(
        Verdict.HOLD_ACCOUNT,
        "the gateway forbids this call",
        f"check credentials and rights of the account, {_OPEN}",
        "xtend: access denied",
    ),
    404: Rule(
        Verdict.HOLD_ACCOUNT,
        "the gateway does not know this address",
        f"check base_url of the account, {_OPEN}",
        "xtend: resource was not found",
    ),
    405: Rule(
        Verdict.HOLD_ACCOUNT,
        "the gateway does not take a POST at this address",
        f"check base_url of the account, {_OPEN}",
        "xtend: requested method is not supported",
    ),
    408: Rule(Verdict.LOST, "the gateway gave up waiting", "", "ours: how much of the call it acted on is not said"),
    409: Rule(Verdict.LOST, "the gateway reports a conflict", "", "ours: acceptance is not known"),
    429: Rule(Verdict.THROTTLED, "too many calls", "", "http: 429 Too Many Requests"),
    503: Rule(Verdict.THROTTLED, "the gateway is busy", "", "http: 503 Service Unavailable"),
}

BY_CLASS: dict[int, Rule] = {
    3: Rule(
        Verdict.HOLD_ACCOUNT,
        "the gateway sends the call elsewhere",
        f"check base_url of the account, {_OPEN}",
        "ours: a send is never repeated at another address",
    ),
    4: Rule(Verdict.ISOLATE, "the gateway refused the call as it stands", "", "xtend: could not be understood"),
    5: Rule(Verdict.LOST, "the gateway failed", "", "ours: acceptance is not known"),
}
"""What a class of statuses (its first digit) means, where `BY_STATUS` has no rule."""

UNLISTED = Rule(Verdict.LOST, "the gateway gave an answer that is not known", "", "ours: acceptance is not known")


def rule_for_status(status: int) -> Rule:
    """Look up the rule for a call that did not succeed; `Verdict.ISOLATE` is for the code in the answer to refine."""
    return BY_STATUS.get(status) or BY_CLASS.get(status // 100) or UNLISTED
