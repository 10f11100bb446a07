"""What an operator told later about one message: the delivery report, and the order that makes reports merge.

Reports come early, late, twice, one a segment, and out of order. Each becomes one line of text, its news; of two news
about one message the greater one stands, by plain comparison of the text. So the end state depends neither on their
order nor on how often each came.
"""

from dataclasses import dataclass, field
from enum import Enum
from typing import Literal

State = Literal["sent", "failed", "delivered", "seen"]
"""What happened last. A failure is final unless a delivery follows; "sent" is on its way and counts as awaiting."""

RANKS: dict[State, int] = {"sent": 1, "failed": 2, "delivered": 3, "seen": 4}

_LONGEST_TEXT = 40
_LATEST_MS = 9_999_999_999_999


class Feedback(Enum):
    """What a report says beyond its own message."""

    NOTHING = "nothing"
    THROTTLED = "throttled"
    """The message failed because the account goes too fast: the account slows down."""
    MISCONFIGURED = "misconfigured"
    """It failed for how the campaign is set up; a run of such pauses the campaign."""
    REFUSES_PROMOTION = "refuses promotion"
    """The number is registered against promotional messages (DND)."""
    OPTED_OUT = "opted out"
    """The number wants no message of this sender's any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryReport:
    """One report about one message, as a gateway's reader understood it.

    `gateway_id` and `to` (in the gateway's own spelling) are "" where the report has none; `reference` is what we gave
    the gateway for the batch ("campaign:batch", see `Outgoing.reference`), "" where it was not repeated. `code` is the
    gateway's own as a string; `text` its name in capitals and low lines, never free text of a person. `at` is seconds
    since the epoch, `None` where the report gives no date.
    """

    state: State
    gateway_id: str = ""
    to: str = field(default="", repr=False)
    reference: str = ""
    code: str = ""
    text: str = ""
    at: float | None = None
    feedback: Feedback = Feedback.NOTHING


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """The part of a report that is kept with the message."""

    state: State
    at: float | None
    code: str
    text: str


def write_news(report: DeliveryReport) -> str:
    """Return "RANK AT_MS CODE TEXT", of which the greater one stands; at most about 70 characters."""
    at_ms = 0 if report.at is None else min(max(int(report.at * 1000), 0), _LATEST_MS)
    text = report.text[:_LONGEST_TEXT] if report.state == "failed" else ""
    return f"{RANKS[report.state]} {at_ms:013d} {report.code or '-'} {text}".rstrip()


def read_news(line: str) -> News:
    """Return what `write_news` wrote."""
    rank, at_ms, code, *text = line.split(" ", 3)
    state = next(state for state, number in RANKS.items() if number == int(rank))
    at = int(at_ms) / 1000
    return News(state=state, at=at or None, code="" if code == "-" else code, text=text[0] if text else "")
