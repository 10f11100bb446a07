"""What Skycore's error codes mean for a call and for its message, as data: the table that `skycore_sms` reads.

Sources: "sms" is Skycore's page "Send SMS API V2", "intro" its page "Messaging API V2 intro" (authentication errors),
"v1" its page "Send SMS V1", "sibling" Sinch's page "MMS: API status codes", which shares the vocabulary and the codes
that both have; Skycore's own list is not published. "ours" is a decision of this project.
"""

from dataclasses import dataclass

from worker.gateways.rules import Rule, Verdict

_OPEN = "then open the account"
_RESUME = "then resume the campaign"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A code that refuses this one message: why, and who says so."""

    reason: str
    source: str


OF_CALL: dict[str, Rule] = {
    "E100": Rule(Verdict.ISOLATE, "Skycore refused the call as it stands", "", "intro: invalid request"),
    "E103": Rule(
        Verdict.HOLD_ACCOUNT,
        "the account is blocked",
        f"settle it with Skycore, {_OPEN}",
        "intro (authentication), sibling: account blocked",
    ),
    "E104": Rule(
        Verdict.HOLD_ACCOUNT,
        "Skycore refused the API key",
        f"check api_key of the account, {_OPEN}",
        "intro (authentication), sibling: authentication failed",
    ),
    "E105": Rule(
        Verdict.HOLD_ACCOUNT,
        "the account has no access to the API",
        f"have Skycore enable it, {_OPEN}",
        "intro (authentication), sibling: no API access",
    ),
    "E106": Rule(Verdict.THROTTLED, "calls follow each other too fast", "", "sibling: interval between calls"),
    "E107": Rule(
        Verdict.HOLD_ACCOUNT,
        "the account may not send SMS",
        f"have Skycore enable it, {_OPEN}",
        "sibling: action not allowed",
    ),
    "E108": Rule(Verdict.ISOLATE, "Skycore could not read the call", "", "sibling: parse error"),
    "E109": Rule(
        Verdict.HOLD_ACCOUNT,
        "Skycore refused the account",
        f"check api_key of the account, {_OPEN}",
        "intro (authentication)",
    ),
    "E111": Rule(
        Verdict.PAUSE_CAMPAIGN,
        "Skycore refused the sender",
        f"check from of the campaign and sender_number of the account, {_RESUME}",
        "sms: Invalid Sender",
    ),
    "E112": Rule(
        Verdict.HOLD_ACCOUNT,
        "Skycore does not let this machine's address in",
        f"have it added to the account's list, {_OPEN}",
        "sibling: IP not whitelisted",
    ),
    "E113": Rule(Verdict.THROTTLED, "the account's throughput is exceeded", "", "sibling: exceeded throughput"),
    "E115": Rule(
        Verdict.PAUSE_CAMPAIGN,
        "Skycore refused the sender's name",
        f"check from of the campaign, {_RESUME}",
        "sibling: sender mask",
    ),
    "E503": Rule(Verdict.LOST, "Skycore failed inside while it handled the call", "", "sibling: internal; ours"),
    "E713": Rule(
        Verdict.HOLD_FOR_NOW,
        "Skycore reports a billing problem",
        f"settle it with Skycore, {_OPEN}",
        "v1: billing problem",
    ),
}
"""The codes that say something of every call alike, or nothing certain."""

OF_MESSAGE: dict[str, Refusal] = {
    "E110": Refusal(reason="invalid number", source="sibling: invalid to"),
    "E114": Refusal(reason="number on the gateway's blacklist", source="sibling: number blacklisted"),
}
"""The codes that refuse this one number."""
