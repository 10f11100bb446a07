"""The failure codes of each gateway, as data: what `--reject` and `--report-reject` may name.

The codes of two gateways never look alike, so that a code says by itself which gateway it belongs to.
"""

import re
from collections.abc import Mapping

EXOTEL_SMS: Mapping[str, str] = {
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
"""The final failures of "Mapping and Description of status codes", and 23000 from the partial-success sample."""

EXOTEL_WHATSAPP: Mapping[str, str] = {
    "30004": "EX_SYSTEM_ERROR",
    "30005": "EX_NUMBER_ERROR",
    "30006": "EX_SETUP_ERROR",
    "30007": "EX_RATE_LIMIT_HIT",
    "30008": "EX_SPAM_RATE_LIMIT_HIT",
    "30009": "EX_TOO_MANY_REQUEST",
    "30010": "EX_INVALID_REQUEST",
    "30011": "EX_UNKNOWN_ERROR",
    "30012": "EX_INVALID_RECIPIENT",
    "30013": "EX_INCAPABLE_RECIPIENT",
    "30014": "EX_RECIPIENT_BLOCKED",
    "30015": "EX_UNSUPPORTED_MESSAGE",
    "30016": "EX_MEDIA_DOWNLOAD_ERROR",
    "30017": "EX_MEDIA_UPLOAD_ERROR",
    "30018": "EX_REENGAGEMENT_ERROR",
    "30019": "EX_INVALID_PARAM",
    "30020": "EX_MISSING_PARAM",
    "30021": "EX_INVALID_PARAM_VALUE",
    "30022": "EX_TEMPLATE_ERROR",
    "30023": "EX_TEMPLATE_PARAM_ERROR",
    "30024": "EX_TEMPLATE_NOT_FOUND",
    "30025": "EX_TEMPLATE_TEXT_TOO_LONG",
    "30026": "EX_INVALID_TEMPLATE_NAMESPACE",
    "30027": "EX_MESSAGE_PENDING_TOO_LONG",
    "30028": "EX_MESSAGE_EXPIRED",
    "30029": "EX_MESSAGE_TOO_LONG",
    "30030": "EX_WEBHOOK_ERROR",
    "30031": "EX_SECTION_COUNT_ERROR",
    "30032": "EX_ROWS_COUNT_ERROR",
    "30033": "EX_PRODUCT_COUNT_ERROR",
    "30034": "EX_CATALOGUE_NOT_FOUND",
    "30035": "EX_CATALOGUE_NOT_LINKED",
    "30036": "EX_MISSING_PRODUCT",
    "30037": "EX_PRODUCT_NOT_FOUND",
    "30038": "EX_PRODUCT_COMPLIANCE_ERROR",
    "30039": "EX_INVALID_HEADER",
    "30040": "EX_MISSING_COMPLIANCE",
    "30041": "EX_CHAR_POLICY_VIOLATION",
}
"""The failures of the ExoStatus codes in "Exotel WhatsApp: messages"."""

XTEND_SMS: Mapping[str, str] = {
    "1": "Unknown subscriber",
    "74": "ESME local throttling - exceeded msg/s",
    "168": "DND Blocked",
    "216": "DND Block",
    "222": "MESSAGE CONTENT IS BLACKLISTED/EC_Network System Failure",
    "223": "Data Missing",
    "226": "Invalid data coding scheme",
    "436": "EC_INVALID_TEMPLATE_TYPE ; Duplicate Number within 30 Min",
    "501": "Insufficient Balance",
    "602": "ENTITY_INACTIVE",
    "951": "Number Blacklisted",
    "952": "DND Rejected",
    "953": "Invalid Senderid",
    "954": "Invalid Number",
    "955": "Insufficient sms Balance",
    "956": "Promotional sms pushed after 9 p.m to 10 a.m",
    "959": "Account Expired",
    "997": "Invalid SenderID and Throttle",
}
"""Of the error table of the Xtend document, the codes that this simulator gives by itself, and some that tests want.

Every code of the table's form may be asked for; one that is not here has no words of its own.
"""

META: Mapping[str, str] = {
    "10": "Permission Denied",
    "100": "Invalid parameter",
    "190": "Authentication Error",
    "368": "Temporarily blocked for policies violations",
    "130429": "Rate limit hit",
    "130472": "User's number is part of an experiment",
    "131000": "Something went wrong",
    "131008": "Required parameter is missing",
    "131009": "Parameter value is not valid",
    "131016": "Service unavailable",
    "131021": "Recipient cannot be sender",
    "131026": "Message undeliverable",
    "131030": "Recipient phone number not in allowed list",
    "131031": "Account has been locked",
    "131042": "Business eligibility payment issue",
    "131047": "Re-engagement message",
    "131048": "Spam rate limit hit",
    "131051": "Unsupported message type",
    "131052": "Media download error",
    "131056": "Pair rate limit hit",
    "132000": "Template param count mismatch",
    "132001": "Template does not exist",
    "132015": "Template is paused",
}
"""Codes of Meta's Cloud API, whose shape Xtend's WhatsApp answers have; Xtend documents none of its own."""

SKYCORE: Mapping[str, str] = {
    "E100": "Invalid request.",
    "E103": "Account blocked.",
    "E104": "Authentication failed.",
    "E105": "No access to this API.",
    "E106": "The interval between calls is too short.",
    "E107": "Action not allowed.",
    "E108": "Parse error.",
    "E110": "Invalid recipient.",
    "E111": "Invalid Sender.",
    "E112": "IP address not allowed.",
    "E113": "Exceeded throughput.",
    "E114": "Number blacklisted.",
    "E115": "Invalid sender mask.",
    "E503": "Internal error.",
    "E713": "Billing problem.",
}
"""E111 is in the Skycore document; the others are what the sibling pages of "Gateway facts" (section 4) tell."""

SKYCORE_REPORTS: Mapping[str, str] = {"E201": "Failed", "E202": "Rejected"}
"""The failures a postback may tell ("Gateway facts", section 4)."""

_XTEND_FORM = re.compile(r"\d{1,3}|\d\d[A-F]", re.ASCII)


def knows(gateway: str, code: str) -> bool:
    """Whether `code` is one that `gateway` refuses a message with, or reports a failure with."""
    match gateway:
        case "exotel-sms":
            return code in EXOTEL_SMS
        case "exotel-whatsapp":
            return code in EXOTEL_WHATSAPP
        case "xtend-sms":
            return _XTEND_FORM.fullmatch(code) is not None and code != "0"
        case "xtend-whatsapp":
            return code in META and len(code) == len("131026")
        case _:
            return code in SKYCORE or code in SKYCORE_REPORTS


def is_known(code: str) -> bool:
    """Whether any gateway has this code."""
    return any(
        knows(gateway, code)
        for gateway in ("exotel-sms", "exotel-whatsapp", "xtend-sms", "xtend-whatsapp", "skycore-sms")
    )
