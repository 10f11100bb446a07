"""What Exotel's SMS codes mean for a call and for a message, as data: the table that `exotel_sms` reads.

The sources, named in each rule, are Exotel's SMS reference (developer.exotel.com/api/sms): "errors" is its section
"Mapping and Description of HTTP API Error Codes in the API response", "statuses" its section "Mapping and
Description of status codes"; "http" is its page developer.exotel.com/api/http-status-codes; "ours" is a decision of
this project where the reference is silent, taken so that nobody is messaged twice.
"""

from worker.gateways.rules import Rule, Verdict

_OPEN = "then open the account"
_RESUME = "then resume the campaign"

BY_CODE: dict[tuple[int, str], Rule] = {
    (400, "34001"): Rule(
        Verdict.HOLD_ACCOUNT,
        "Exotel could not read the credentials",
        f"check that api_key and api_token are letters and digits only, {_OPEN}",
        "errors: Non alpha-numeric auth key or token",
    ),
    (400, "40203"): Rule(
        Verdict.ALL_REJECTED, "All the destination numbers are invalid", "", "errors: all destination numbers invalid"
    ),
    (400, "40204"): Rule(
        Verdict.PAUSE_CAMPAIGN,
        "Exotel refused the SMS type",
        f"check sms_type of the campaign, {_RESUME}",
        "errors: Invalid SMS type parameter in request",
    ),
    (400, "40205"): Rule(
        Verdict.PAUSE_CAMPAIGN,
        "Exotel found the sender empty",
        f"set from of the campaign, {_RESUME}",
        "errors: Invalid (Empty) From parameter in request",
    ),
    (400, "40206"): Rule(
        Verdict.PAUSE_CAMPAIGN,
        "the sender does not fit the SMS type",
        f"check from and sms_type of the campaign, {_RESUME}",
        "errors: From parameter does not match SMS type",
    ),
    (400, "40207"): Rule(
        Verdict.PAUSE_CAMPAIGN,
        "Exotel found a list where it wants one value",
        "report this as a defect of bulksend",
        "errors: Request parameter passed as array and not as a string",
    ),
    (400, "40208"): Rule(
        Verdict.PAUSE_CAMPAIGN,
        "Exotel did not read the messages as a list",
        "report this as a defect of bulksend",
        "errors: Invalid (Non-array) messages parameter",
    ),
    (400, "40209"): Rule(
        Verdict.PAUSE_CAMPAIGN,
        "Exotel refused the encoding type",
        "report this as a defect of bulksend",
        "errors: Invalid encoding type parameter in SMS request",
    ),
    (400, "40210"): Rule(
        Verdict.LEAVE_ACCOUNT,
        "the account is not set up for this campaign: it has no default sender",
        f"set from of the campaign, or take this account out of it, {_RESUME}",
        "errors: Missing FROM parameter in SMS request",
    ),
    (400, "40300"): Rule(
        Verdict.LEAVE_ACCOUNT,
        "the account is not set up for this campaign: it has no matching template and no numeric sender",
        f"have Exotel add them or take this account out of the campaign, {_RESUME}",
        "errors: Promotional sender ID is not found",
    ),
    (400, "40301"): Rule(
        Verdict.LEAVE_ACCOUNT,
        "the account is not set up for this campaign: it has no transactional sender",
        f"have Exotel add one or take this account out of the campaign, {_RESUME}",
        "errors: sender ID is not found, international accounts",
    ),
    (400, "40400"): Rule(
        Verdict.PAUSE_CAMPAIGN,
        "Exotel found more than 100 messages in one call",
        "report this as a defect of bulksend",
        "errors: More than 100 SMSs in a dynamic bulk request",
    ),
    (400, "40406"): Rule(
        Verdict.PAUSE_CAMPAIGN,
        "Exotel found more than 100 numbers in one call",
        "report this as a defect of bulksend",
        "errors: More than 100 SMSs in a static bulk request",
    ),
    (403, ""): Rule(
        Verdict.HOLD_ACCOUNT,
        "Exotel forbids this call",
        f"check sid, region and rights of the account, {_OPEN}",
        "ours: nothing else in the reference gives a 403 without a code",
    ),
    (403, "34009"): Rule(
        Verdict.HOLD_ACCOUNT,
        "Exotel does not know the account",
        f"check sid and region of the account, {_OPEN}",
        "errors: Invalid Account sid or any resource or action is missing or invalid",
    ),
    (403, "34010"): Rule(
        Verdict.HOLD_ACCOUNT,
        "Exotel refused the credentials",
        f"check api_key and api_token of the account, {_OPEN}",
        "errors: Invalid auth key or auth token (given there with 401)",
    ),
    (403, "40000"): Rule(
        Verdict.HOLD_ACCOUNT,
        "a trial account may not send promotional messages",
        f"have Exotel end the trial, {_OPEN}",
        "errors: trial account is being used to send promotional SMS",
    ),
    (403, "40001"): Rule(
        Verdict.HOLD_FOR_NOW,
        "the account's balance is used up",
        f"recharge it at Exotel, {_OPEN}",
        "errors: insufficient balance in your account",
    ),
    (403, "40002"): Rule(
        Verdict.HOLD_ACCOUNT,
        "the account is inactive",
        f"have Exotel activate it, {_OPEN}",
        "errors: If your account is inactive",
    ),
    (403, "40003"): Rule(
        Verdict.LEAVE_ACCOUNT,
        "the account is not set up for a country of this campaign",
        f"have Exotel enable it or take this account out of the campaign, {_RESUME}",
        "errors: account is not configured to send SMSes to the recipient country",
    ),
    (403, "340030"): Rule(
        Verdict.HOLD_ACCOUNT,
        "the account's KYC is not complete",
        f"complete it at Exotel, {_OPEN}",
        "errors: account is trial and KYC not completed",
    ),
    (429, "40404"): Rule(
        Verdict.HOLD_ACCOUNT,
        "the trial account has sent all that a trial may",
        f"have Exotel end the trial, {_OPEN}",
        "errors: In the trial phase, if your account exceeds the max. SMS limit",
    ),
    (500, "35000"): Rule(
        Verdict.HOLD_ACCOUNT,
        "the trial account's KYC is not complete or a number is not on its list",
        f"complete the KYC at Exotel, {_OPEN}",
        "errors: trial account with incomplete KYC and has a whitelisting error",
    ),
    (500, "40100"): Rule(
        Verdict.LOST, "Exotel failed inside while it handled the call", "", "errors: internal error code"
    ),
}
"""What a status together with a code means ("" stands for an answer without a code)."""

BY_STATUS: dict[int, Rule] = {
    400: Rule(Verdict.ISOLATE, "Exotel refused the call as it stands", "", "errors: HTTP 400, all rows"),
    401: Rule(
        Verdict.HOLD_ACCOUNT,
        "Exotel refused the credentials",
        f"check api_key and api_token of the account, {_OPEN}",
        "errors: Auth key or auth token missing; Invalid auth key or auth token",
    ),
    402: Rule(
        Verdict.HOLD_FOR_NOW,
        "Exotel wants to be paid",
        f"recharge or extend the plan at Exotel, {_OPEN}",
        "http: 402 Payment Required",
    ),
    404: Rule(
        Verdict.HOLD_ACCOUNT,
        "Exotel does not know this address",
        f"check base_url, region and sid of the account, {_OPEN}",
        "http: 404 Not Found",
    ),
    405: Rule(
        Verdict.HOLD_ACCOUNT,
        "Exotel does not know this address",
        f"check base_url and sid of the account, {_OPEN}",
        "errors: POST API call to an unrecognized SMS endpoint (40502); RFC 9110 section 15.5.6",
    ),
    408: Rule(Verdict.LOST, "Exotel gave up waiting", "", "ours: how much of the call it acted on is not said"),
    409: Rule(Verdict.LOST, "Exotel reports a conflict", "", "http: 409 Conflict"),
    413: Rule(Verdict.ISOLATE, "the call is too large", "", "ours: refused for its size, so nothing was accepted"),
    429: Rule(Verdict.THROTTLED, "too many calls", "", "errors: POST requests higher than the maximum limit"),
    503: Rule(Verdict.THROTTLED, "Exotel is busy", "", "errors: Throttle limit has been exceeded"),
}
"""What a status means whatever its code, where `BY_CODE` has no rule for both."""

BY_CLASS: dict[int, Rule] = {
    3: Rule(
        Verdict.HOLD_ACCOUNT,
        "Exotel sends the call elsewhere",
        f"check base_url and region of the account, {_OPEN}",
        "ours: a send is never repeated at another address",
    ),
    5: Rule(Verdict.LOST, "Exotel failed", "", "ours: acceptance is not known"),
}
"""What a class of statuses (its first digit) means, where neither table above has a rule."""

UNLISTED = Rule(Verdict.LOST, "Exotel gave an answer that is not known", "", "ours: acceptance is not known")
"""What everything else means."""

REFUSED_503 = frozenset({"40405", "35006"})
"""The codes of a 503 that is documented as a refusal for going too fast (errors: 35006, updated to 40405)."""

DETAILS: dict[str, str] = {
    "23000": "FAILED_MISSING_BODY",
    "23005": "FAILED_REJECTED_DND",
    "23010": "FAILED_INVALID_DESTINATION_NUMBER",
    "23015": "FAILED_SPAM_DETECTED",
    "23020": "FAILED_REJECTED_BLACKLIST",
    "23030": "FAILED_UNAVAILABLE_ROUTE",
    "23035": "FAILED_SUBSCRIBER_UNAVAILABLE",
    "23040": "FAILED_SUBSCRIBER_UNKNOWN",
    "23050": "FAILED_EXPIRED",
    "23060": "FAILED_REJECTED",
    "23070": "FAILED_INVALID_MESSAGE",
    "23072": "FAILED_INVALID_SENDER_ID",
    "23080": "SENDER_BLOCKED_BY_DLT",
    "23081": "ENTITY_BLOCKED_BY_DLT",
    "23082": "TEMPLATE_BLOCKED_BY_DLT",
    "23083": "FAILED_DLT_SCRUBBING_ERROR",
    "23084": "FAILED_DLT_CONSENT_ERROR",
    "23181": "DLT_TEMPLATE_ID_INVALID",
    "23182": "DLT_TEMPLATE_NOT_FOUND",
    "23183": "DLT_TEMPLATE_ID_INACTIVE",
    "23184": "DLT_TEMPLATE_ID_BLACKLISTED",
    "23185": "DLT_TEMPLATE_DOES_NOT_MATCH",
    "23186": "DLT_LENGTH_EXCEEDED",
    "23281": "DLT_ENTITY_NOT_FOUND",
    "24010": "FAILED_SYSTEM_ERROR",
    "24105": "FAILED_HANDSET_ERROR",
    "24110": "FAILED_OPERATOR_ERROR",
    "24120": "FAILED_SUBSCRIBER_ERROR",
    "24990": "FAILED_UNKNOWN_ERROR",
}
"""The detailed status of a failed message by its code, where an answer gives the code alone (statuses; 23000 stands
only in the sample "HTTP Response (Partial Success)" of the dynamic bulk call)."""


def rule_for(status: int, code: str) -> Rule:
    """Look up the rule for a refused call; `code` is "" where the answer has none. `documented` is the adapter's.

    Exotel's own codes are numbers: a word in their place ("FORBIDDEN") says no more than the status.
    """
    code = code if code.isdecimal() else ""
    return BY_CODE.get((status, code)) or BY_STATUS.get(status) or BY_CLASS.get(status // 100) or UNLISTED
