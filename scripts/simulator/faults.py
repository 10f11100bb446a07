"""The kinds of fault, as a table, and the draw that says which request meets which.

A fault of a kind that accepts takes effect after the messages were remembered as accepted: what the sender sees is a
failure, what the people see is a message. That is the case every sender gets wrong.
"""

import enum
import random
from collections.abc import Iterable
from dataclasses import dataclass

from scripts.simulator import refusals
from scripts.simulator.refusals import Refusal


class Wire(enum.Enum):
    """How an answer travels. RESET is a TCP RST, not a close."""

    WHOLE = enum.auto()
    RESET_AT_HEAD = enum.auto()
    RESET = enum.auto()
    HANG = enum.auto()
    TRUNCATED = enum.auto()
    DRIP = enum.auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What a proxy in front of the gateway would answer: HTML, without a code."""

    status: int
    title: str

    @property
    def html(self) -> str:
        """The page."""
        return f"<html><head><title>{self.title}</title></head><body><h1>{self.title}</h1></body></html>\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """What a fault does.

    `accepts`: whether the messages are accepted first. `untaken`: the code that Exotel WhatsApp has for the last fifth
    of them instead, "" for none. `answer`: what is sent, `None` for the true answer. `wire`: how it travels.
    """

    accepts: bool
    untaken: str = ""
    answer: Refusal | Page | None = None
    wire: Wire = Wire.WHOLE
    about: str


_GATEWAY_TIMEOUT = Page(status=504, title="504 Gateway Time-out")
_BAD_GATEWAY = Page(status=502, title="502 Bad Gateway")
_UNAVAILABLE = Page(status=503, title="503 Service Temporarily Unavailable")

KINDS = {
    "refuse": Kind(accepts=False, wire=Wire.RESET_AT_HEAD, about="reset as soon as the head was read"),
    "reset": Kind(accepts=False, wire=Wire.RESET, about="request read, reset, nothing accepted"),
    "reset-accepted": Kind(accepts=True, wire=Wire.RESET, about="accepted, then reset"),
    "hang": Kind(accepts=False, wire=Wire.HANG, about="request read, never answered, nothing accepted"),
    "hang-accepted": Kind(accepts=True, wire=Wire.HANG, about="accepted, never answered"),
    "truncated": Kind(accepts=True, wire=Wire.TRUNCATED, about="accepted, half of the answer, then closed"),
    "slow": Kind(accepts=True, wire=Wire.DRIP, about="accepted, the answer in 20 pieces, --drip apart"),
    "garbage": Kind(
        accepts=True, answer=Page(status=200, title="Welcome"), about="accepted, answered 200 with a page of HTML"
    ),
    "400": Kind(accepts=False, answer=refusals.INVALID_BODY, about="400/40202"),
    "413": Kind(accepts=False, answer=refusals.TOO_LARGE, about="413"),
    "unauthorized": Kind(accepts=False, answer=refusals.WRONG_CREDENTIALS, about="401/34010"),
    "no-balance": Kind(accepts=False, answer=refusals.NO_BALANCE.about(count="1"), about="403/40001"),
    "inactive": Kind(accepts=False, answer=refusals.INACTIVE, about="403/40002"),
    "kyc": Kind(accepts=False, answer=refusals.NO_KYC, about="403/340030"),
    "429": Kind(accepts=False, answer=refusals.TOO_MANY_POSTS, about="429/40402, with --retry-after if given"),
    "429-partly": Kind(
        accepts=True, untaken="429", about="at Exotel WhatsApp 429 for the last fifth of the messages, others accepted"
    ),
    "402-partly": Kind(
        accepts=True, untaken="402", about="at Exotel WhatsApp 402 for the last fifth of the messages, others accepted"
    ),
    "trial": Kind(accepts=False, answer=refusals.TRIAL, about="429/40404, which no waiting helps"),
    "500": Kind(accepts=False, answer=refusals.PROCESSING_ERROR, about="500/40100, nothing accepted"),
    "500-accepted": Kind(accepts=True, answer=refusals.PROCESSING_ERROR, about="500/40100 after accepting"),
    "502": Kind(accepts=False, answer=_BAD_GATEWAY, about="a proxy's 502"),
    "502-accepted": Kind(accepts=True, answer=_BAD_GATEWAY, about="a proxy's 502 after the gateway accepted"),
    "503": Kind(accepts=False, answer=_UNAVAILABLE, about="a proxy's 503, with --retry-after if given"),
    "503-accepted": Kind(accepts=True, answer=_UNAVAILABLE, about="a proxy's 503 after the gateway accepted"),
    "504": Kind(accepts=False, answer=_GATEWAY_TIMEOUT, about="a proxy's 504"),
    "504-accepted": Kind(accepts=True, answer=_GATEWAY_TIMEOUT, about="a proxy's 504 after the gateway accepted"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A kind of fault and whom it meets: a share (0 to 1) of all requests, or requests `first` to `last`."""

    kind: str
    share: float = 0.0
    first: int = 1
    last: int = 0

    def __str__(self) -> str:
        """As it is written: KIND:SHARE, KIND#N or KIND#N-M."""
        if not self.last:
            return f"{self.kind}:{self.share:g}"
        return f"{self.kind}#{self.first}" + (f"-{self.last}" if self.last > self.first else "")


class FaultDraw:
    """Says, request by request, which fault is met: one draw a request, so that a seed always gives the same run."""

    def __init__(self, faults: Iterable[Fault], seed: int) -> None:
        self._faults = tuple(faults)
        self._random = random.Random(seed)

    def draw(self, number: int) -> str | None:
        """The kind that request `number` (from 1) meets; a numbered fault goes before one with a share."""
        point = self._random.random()
        for fault in self._faults:
            if fault.first <= number <= fault.last:
                return fault.kind
        for fault in self._faults:
            point -= fault.share
            if point < 0:
                return fault.kind
        return None
