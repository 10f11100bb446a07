"""Exotel SMS: `/v1/Accounts/<sid>/Sms/send` and `bulksend`, and everything that no other gateway serves.

The parameters are judged in `judge`, the answers written in `answers`: this joins the two, and knows the paths.
"""

from scripts.simulator import answers, details, refusals
from scripts.simulator.answers import Receipt
from scripts.simulator.codes import EXOTEL_SMS
from scripts.simulator.credentials import refused_credentials
from scripts.simulator.details import Details
from scripts.simulator.dialect import FORM, JSON, Head, Reply, is_known
from scripts.simulator.form import parse
from scripts.simulator.judge import Verdict, judge_bulksend, judge_send
from scripts.simulator.options import SimulatorOptions
from scripts.simulator.refusals import Refusal

_XML = "application/xml"


class ExotelSms:
    """See `Dialect`. Source: the three "Exotel SMS" documents."""

    gateway = "exotel-sms"
    sid_frame = ("", "")
    names_caller_in_body = False

    def serves(self, head: Head) -> bool:
        """Every version 1 path; it also answers for paths that nobody serves."""
        return head.path.startswith("/v1/")

    def caller(self, head: Head, body: bytes) -> str:  # noqa: ARG002 - the head says it
        """The sid in the path."""
        segments = head.path.split("/", 4)
        return segments[3] if segments[1:3] == ["v1", "Accounts"] and len(segments) > 3 else ""  # noqa: PLR2004

    def refused_access(  # noqa: PLR0911 - one return a refusal
        self, head: Head, body: bytes, options: SimulatorOptions
    ) -> Refusal | None:
        """Credentials, then the path, then the account."""
        segments = head.path.removeprefix("/").removesuffix("/").split("/")
        if segments[0] not in {"v1", "v2", "v3"}:
            return refusals.NOT_FOUND
        refusal = refused_credentials(head.authorization, f"{options.api_key}:{options.api_token}")
        if refusal is not None:
            return refusal
        match segments:
            case ["v1"]:
                return refusals.NO_ACCOUNTS
            case ["v1", resource, *_] if resource != "Accounts":
                return refusals.NO_ACCOUNTS
            case ["v1", "Accounts", _, *rest] if is_known(self.caller(head, body), options):
                return _refused_action(rest)
            case ["v1", *_]:
                return refusals.FORBIDDEN
            case _:
                return refusals.WRONG_VERSION.about(version=segments[0])

    def judge(self, head: Head, body: bytes, options: SimulatorOptions) -> Verdict | Refusal:
        """A body that is no form has no parameters."""
        form = parse(body if head.media_type in {FORM, ""} else b"")
        bulk = head.path.removesuffix(".json").endswith("/bulksend")
        rejects = [reject for reject in options.rejects if reject.code in EXOTEL_SMS]
        return (judge_bulksend if bulk else judge_send)(form, rejects)

    def answer(self, head: Head, verdict: Verdict, receipt: Receipt) -> Reply:
        """JSON after `.json`, else XML; 207 where a message failed."""
        as_json = head.path.endswith(".json")
        return Reply(
            status=answers.status_of(verdict),
            content_type=JSON if as_json else _XML,
            body=(answers.as_json if as_json else answers.as_xml)(verdict, receipt),
        )

    def refuse(self, head: Head, refusal: Refusal) -> Reply:
        """A RestException in the same format, but plain text where nobody said who calls."""
        if refusal is refusals.NO_CREDENTIALS:
            return Reply(
                status=refusal.status,
                content_type="text/plain",
                body=refusal.message.encode(),
                headers=(("WWW-Authenticate", 'Basic realm="Exotel"'),),
            )
        if head.path.endswith(".json"):
            return Reply(status=refusal.status, content_type=JSON, body=answers.refusal_as_json(refusal))
        return Reply(status=refusal.status, content_type=_XML, body=answers.refusal_as_xml(refusal))

    def refused_reader(self, head: Head, options: SimulatorOptions) -> Refusal | None:
        """What speaks against who asks for the details of a message."""
        refusal = refused_credentials(head.authorization, f"{options.api_key}:{options.api_token}")
        if refusal is None and not is_known(self.caller(head, b""), options):
            return refusals.FORBIDDEN
        return refusal

    def tell(self, head: Head, known: Details) -> Reply:
        """The details of a message, in the format that the path asks for."""
        if head.path.endswith(".json"):
            return Reply(status=200, content_type=JSON, body=details.as_json(known))
        return Reply(status=200, content_type=_XML, body=details.as_xml(known))


def details_sid(path: str) -> str:
    """The SmsSid that a GET of `/v1/Accounts/<sid>/SMS/Messages/<SmsSid>[.json]` asks for, else ""."""
    match path.split("/"):
        case ["", "v1", "Accounts", _, "SMS", "Messages", name]:
            return name.removesuffix(".json")
        case _:
            return ""


def _refused_action(rest: list[str]) -> Refusal | None:
    """What follows the account in the path."""
    match rest:
        case ["Sms", "send" | "send.json" | "bulksend" | "bulksend.json"]:
            return None
        case ["Sms"]:
            return refusals.NO_ACTION
        case ["Sms", *_]:
            return refusals.UNKNOWN_ENDPOINT
        case _:
            return refusals.FORBIDDEN
