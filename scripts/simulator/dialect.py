"""What a gateway's dialect is: how its calls are told apart, read and answered. One module a gateway has one.

A dialect is pure and keeps nothing: limiter, faults, balance, memory and the sockets are the same for all of them.
Refusals and faults are named in the words of Exotel SMS (`refusals`), and each dialect says them in its own.
"""

from dataclasses import dataclass
from typing import Protocol

from scripts.simulator.answers import Receipt
from scripts.simulator.faults import Wire
from scripts.simulator.judge import Verdict
from scripts.simulator.letters import Letter
from scripts.simulator.options import SimulatorOptions
from scripts.simulator.refusals import Refusal

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """What is known of a request before its body is read. `path` has no query; `api_key` is either key header."""

    method: str
    path: str
    query: str = ""
    authorization: str = ""
    api_key: str = ""
    content_type: str = ""

    @property
    def media_type(self) -> str:
        """The content type without its parameters, in lower case."""
        return self.content_type.partition(";")[0].strip().lower()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What to send, and how it travels; `early` are reports to be delivered before it is."""

    status: int
    content_type: str
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()
    wire: Wire = Wire.WHOLE
    early: tuple[Letter, ...] = ()


class Dialect(Protocol):
    """How one gateway speaks.

    `gateway` is its name in an accounts file. A Sid is made of hexadecimal characters between the two parts of
    `sid_frame`. `names_caller_in_body`: who calls is known only when the body was read.
    """

    gateway: str
    sid_frame: tuple[str, str]
    names_caller_in_body: bool

    def serves(self, head: Head) -> bool:
        """Whether a request with this head is for this gateway."""

    def caller(self, head: Head, body: bytes) -> str:
        """The account that its limit is counted for, "" where the call names none."""

    def refused_access(self, head: Head, body: bytes, options: SimulatorOptions) -> Refusal | None:
        """What speaks against who calls, or against the path, if anything does."""

    def judge(self, head: Head, body: bytes, options: SimulatorOptions) -> Verdict | Refusal:
        """What becomes of each message."""

    def answer(self, head: Head, verdict: Verdict, receipt: Receipt) -> Reply:
        """The true answer to a call that was judged."""

    def refuse(self, head: Head, refusal: Refusal) -> Reply:
        """A refusal of the whole call, as this gateway says it."""


def is_known(name: str, options: SimulatorOptions) -> bool:
    """Whether `name` is an account (sid, username, phone_number_id) that the simulator was told of."""
    return bool(name) and (name in options.sids or "*" in options.sids)
