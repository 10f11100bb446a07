"""What a call to a gateway came to: one outcome a message, one disposition a call.

A gateway's adapter reads an answer into exactly one `Disposition`; the sender settles or gives back the batch
accordingly, or some of it each way. What a gateway says is a value: nothing here is raised. The set is closed
(`assert_never`).
The dispositions and what follows from each are the table "What an answer means" of the README.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple


class Accepted(NamedTuple):
    """The gateway took the message and named it. A tuple, because a hundred are made for every answer."""

    gateway_id: str
    code: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """The gateway refused this message for good. `code` is the gateway's own, as a string ("" where it gave none)."""

    code: str
    reason: str

    @property
    def label(self) -> str:
        """Code and words, as refusals are counted by."""
        return f"{self.code} {self.reason}".strip()


@dataclass(frozen=True, slots=True, kw_only=True)
class Unconfirmed:
    """Whether the gateway took the message is not known: it is not sent again, but once where the campaign asks so."""

    reason: str
    code: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Untaken:
    """The gateway did not take the message for a reason of its account, not of the message: it goes again."""

    code: str
    reason: str


MessageOutcome = Accepted | Rejected | Unconfirmed
"""What a message settles as."""

MessageAnswer = MessageOutcome | Untaken
"""What an answer says of one message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AllRejected:
    """Every message of the batch refused, which counts as one refused call (Exotel 400/40203: all numbers invalid).

    `each` is what the gateway says of every message by itself, in the order in which the batch was sent; empty where
    `code` and `reason` are all that it says.
    """

    code: str
    reason: str
    each: tuple[Rejected, ...] = ()

    def outcomes(self, count: int) -> tuple[Rejected, ...]:
        """One refusal for each of the batch's `count` messages."""
        return self.each or (Rejected(code=self.code, reason=self.reason),) * count


@dataclass(frozen=True, slots=True, kw_only=True)
class Throttled:
    """Refused for going too fast: the batch goes back, the account pauses for `retry_after_s` (seconds from the
    answer, `None` where the gateway did not say: own back-off).
    """

    code: str
    reason: str
    retry_after_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldAccount:
    """Every call of this account would fail alike until somebody acts; `reason` says what to do.

    `may_pass`: it may also pass by itself, as when somebody recharges the balance: one batch is tried now and then.
    """

    code: str
    reason: str
    may_pass: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PerMessage:
    """Each message judged by itself, in the order in which the batch was sent; at least one is not `Unconfirmed`.

    Where some are `Untaken`, `account` is what that means for the account; where all are, the disposition is that.
    """

    outcomes: tuple[MessageAnswer, ...]
    account: Throttled | HoldAccount | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PauseCampaign:
    """Every batch of this campaign would fail alike on this account; `reason` says why."""

    code: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaveAccount:
    """Every batch of this campaign would fail alike on this account, though perhaps not on another of its pool."""

    code: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Isolate:
    """Nothing of the batch was accepted, because of something in it."""

    code: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost:
    """The request may have been acted on and no readable answer tells: every message is unconfirmed."""

    reason: str
    code: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsent:
    """Proof that not one byte of the request left: the batch goes back, the account backs off."""

    reason: str


Disposition = (
    PerMessage | AllRejected | Throttled | HoldAccount | PauseCampaign | LeaveAccount | Isolate | Lost | Unsent
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One HTTP request, whole. Credentials stand in `headers` or `content`, never in `url`."""

    method: str
    url: str
    headers: Mapping[str, str] = field(repr=False)
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One HTTP response, read whole. `headers` has lower-case names. `received_at` is seconds since the epoch."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    received_at: float
