"""The documented refusals of a whole call, word for word.

Source: "Mapping and Description of HTTP API Error Codes in the API response" of the Exotel SMS documents. A refused
call has accepted nothing. Where a message has a variable part, the document's `$name` stands in it as `{name}`.
"""

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """HTTP status, the API's own code (`None` where the document has none) and the sentence."""

    status: int
    code: int | None
    message: str

    @property
    def key(self) -> tuple[int, int | None]:
        """What a table of refusals in another gateway's words names it by."""
        return self.status, self.code

    def about(self, **parts: object) -> "Refusal":
        """The same refusal with the variable parts of its sentence filled in."""
        return replace(self, message=self.message.format(**parts))


def _refusal(status: int, code: int | None, message: str) -> Refusal:
    return Refusal(status=status, code=code, message=message)


# Who asks, and for what
NO_CREDENTIALS = _refusal(401, None, "Authentication is required to view this page.")
WRONG_CREDENTIALS = _refusal(401, 34010, "Unauthorized;")
MALFORMED_CREDENTIALS = _refusal(400, 34001, "Bad or missing parameters in request.;")
FORBIDDEN = _refusal(403, 34009, "Action forbidden on given resource;")
WRONG_VERSION = _refusal(400, None, "Exotel API Version {version} not supported. Contact Exotel for details.")
NO_ACCOUNTS = _refusal(400, None, "Accounts/ missing from URL")
NO_ACTION = _refusal(400, 40500, "Invalid Parameters")
UNKNOWN_ENDPOINT = _refusal(405, 40502, "This method is not supported")
NOT_FOUND = _refusal(404, None, "Not Found")
TOO_LARGE = _refusal(413, None, "Request Entity Too Large")

NO_MATCH = _refusal(200, None, "No matching results")

# The account
NO_BALANCE = _refusal(403, 40001, "Insufficient balance to send {count} sms. Please recharge your account.")
INACTIVE = _refusal(403, 40002, "Account inactive.")
NO_KYC = _refusal(403, 340030, "Your account is not yet KYC compliant;")
TRIAL = _refusal(429, 40404, "Please note that you can send only 10 SMS from your account during the trial phase.")
TOO_MANY_POSTS = _refusal(429, 40402, "Too many POST requests.")
THROTTLED = _refusal(503, 40405, "Service Unavailable")
TOO_MANY_GETS = _refusal(429, 40403, "Too many GET requests.")
PROCESSING_ERROR = _refusal(500, 40100, "Error Processing Request")

# The parameters
EMPTY_BODY = _refusal(400, 40200, "Message body cannot be empty.")
NO_MESSAGES = _refusal(400, 40201, "Invalid parameters: Messages is a mandatory field")
INVALID_BODY = _refusal(400, 40202, "Message body is invalid.")
INVALID_NUMBERS = _refusal(400, 40203, "All the destination numbers are invalid: {numbers}")
WRONG_SMS_TYPE = _refusal(400, 40204, "Invalid parameters: SmsType is not set correctly")
EMPTY_FROM = _refusal(400, 40205, "Empty From field in the request")
UNEXPECTED_ARRAY = _refusal(400, 40207, "Array passed as Value in params. Expecting String")
MESSAGES_NOT_ARRAY = _refusal(400, 40208, "Invalid parameters: Messages has to be an array")
WRONG_ENCODING = _refusal(
    400,
    40209,
    "Encoding type is not properly set. Please check the encoding type again before sending the request"
    " for Msg=[{body}]",
)
NO_FROM = _refusal(400, 40210, "Invalid parameters: From is a mandatory field")
TOO_MANY_DYNAMIC = _refusal(400, 40400, "Not more than 100 SMSs are allowed in one API request.")
TOO_MANY_STATIC = _refusal(400, 40406, "Not more than 100 SMSs are allowed in one API request.")
